// What the rig tells people to type, as they can.

import { describe, expect, it } from '@jest/globals';
import { nextSteps, rigCommand } from '../../../src/cli/next-steps.ts';

describe('the command that is told', () => {
  const started = (script?: string, npmScript?: string) => ({ script, npmScript });

  it.each([
    ['npm run rig --', started('./scripts/rig', 'rig'), '/home/a/rig'],
    ['./scripts/rig', started('./scripts/rig', undefined), '/home/a/rig'],
    ['./scripts/rig', started('./scripts/rig', 'system-test'), '/home/a/rig'],
    ['../rig/scripts/rig', started('../rig/scripts/rig'), '/home/a/b'],
    // An alias, whose name nobody tells.
    ['./scripts/rig', started('/home/a/rig/scripts/rig'), '/home/a/rig'],
    ['/opt/rig/scripts/rig', started('/opt/rig/scripts/rig'), '/home/a/b/c/d'],
    ['rig', started(), '/home/a'],
  ])('is %s', (command, how, folder) => {
    expect(rigCommand(how, folder)).toBe(command);
  });
});

describe('next steps', () => {
  const steps = [
    ['rig ps', 'who leads'],
    ['rig volume create first', 'ready within a moment'],
  ] as const;

  it('tell beside each command what comes of it', () => {
    const wanted = [
      '  rig ps                   # who leads',
      '  rig volume create first  # ready within a moment',
    ];
    expect(nextSteps(steps, 80)).toEqual(wanted);
    expect(nextSteps(steps, undefined)).toEqual(wanted);
  });

  it('tell it above where there is no room', () => {
    expect(nextSteps(steps, 40)).toEqual([
      '  # who leads',
      '  rig ps',
      '  # ready within a moment',
      '  rig volume create first',
    ]);
  });
});
