import { describe, expect, it } from '@jest/globals';
import { faults } from '../../../../src/rig/checks/faults.ts';
import type { NemesisEvent } from '../../../../src/rig/history.ts';
import { createHistory } from '../support/history.ts';

type Phase = NemesisEvent['phase'];

const run = (lives: Readonly<Record<string, readonly Phase[]>>) => {
  const history = createHistory();
  for (const [id, phases] of Object.entries(lives)) {
    for (const [index, phase] of phases.entries()) {
      history.record({
        type: 'nemesis',
        atMs: index,
        phase,
        id,
        fault: { fault: 'kill', on: 'leader' },
        members: ['node1'],
        ...(phase !== 'inject' && phase !== 'heal' && { evidence: 'what was seen' }),
      });
    }
  }
  return faults(history.run());
};

const WHOLE = ['inject', 'shown', 'heal', 'healed'] as const;

describe('faults', () => {
  it('accepts those that bit and healed, in whatever order they were seen', () => {
    expect(run({ a: WHOLE, b: ['inject', 'heal', 'healed', 'shown'] })).toMatchObject({
      verdict: 'valid',
      reason: '2 faults bit and healed',
    });
  });

  it.each<readonly [string, readonly Phase[], string]>([
    ['unavailable', ['unavailable'], "can't be had here: what was seen"],
    ['unseen', ['inject', 'heal', 'healed'], 'was not seen to bite'],
    ['never healed', ['inject', 'shown'], 'was never healed'],
    ['not seen to be gone', ['inject', 'shown', 'heal'], 'was not seen to be gone'],
  ])('does not know what to say of one that is %s', (_, phases, reason) => {
    expect(run({ a: WHOLE, b: phases })).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining(`1 of 2 faults: kill leader (b) ${reason}`),
      counterExample: expect.arrayContaining([expect.stringContaining('b at node1')]),
    });
  });

  it('is unknown where no fault was injected', () => {
    expect(run({})).toMatchObject({ verdict: 'unknown', reason: 'no fault was injected' });
  });
});
