import { describe, expect, it } from '@jest/globals';
import { rolePattern, roleShows } from '../../../src/rig/faults/acts.ts';

describe('whether an act on a role shows', () => {
  it.each([
    ['kill', [], true],
    ['kill', ['Sl'], false],
    ['stop', [], true],
    ['pause', ['Tl'], true],
    ['pause', ['Tl', 'Sl'], false],
    ['pause', [], false],
    ['resume', ['Sl'], true],
    ['resume', ['Tl'], false],
    ['resume', [], false],
  ] as const)('%s with process states %j: %s', (act, states, shows) => {
    expect(roleShows(act, states)).toBe(shows);
  });
});

describe("the pattern of a role's process", () => {
  const pattern = new RegExp(rolePattern('engine'));

  it('matches its command line', () => {
    expect(pattern.test('/usr/local/bin/node /opt/cobalt/src/daemon/main.ts --role engine')).toBe(true);
  });

  it('matches neither the supervisor nor another role', () => {
    expect(pattern.test('/usr/local/bin/node /opt/cobalt/src/daemon/main.ts')).toBe(false);
    expect(pattern.test('/usr/local/bin/node /opt/cobalt/src/daemon/main.ts --role agent')).toBe(false);
  });
});
