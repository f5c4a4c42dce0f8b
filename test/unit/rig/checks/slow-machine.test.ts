// What is late on a machine that has time for it is wrong; on one that has none it
// isn't, unless it is later than even that machine explains. So for each bound that
// leaves time for work.

import { describe, expect, it } from '@jest/globals';
import { nodeKey } from '../../../../src/kv/keys.ts';
import { CHECKS } from '../../../../src/rig/checks/catalogue.ts';
import { judge } from '../../../../src/rig/checks/judge.ts';
import type { MachineEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { QUIET } from '../../../support/site.ts';
import { createHistory } from '../support/history.ts';
import { OF_PROCESSES } from '../support/late-processes.ts';
import { OF_VOLUMES } from '../support/late-volumes.ts';
import { withHistory } from '../support/runs.ts';

/** Work takes four times as long, from the first moment to the last. */
const STARVED: MachineEvent = { ...QUIET, runnable: 8, cores: 2 };

const on = (machine: MachineEvent | undefined, run: RecordedRun): RecordedRun =>
  withHistory(run, (event) => (event.type === 'machine' ? machine : event));

describe.each([...OF_PROCESSES, ...OF_VOLUMES])(
  '$check gives $what $workMs ms',
  ({ check, waitMs, workMs, run, isAlwaysWrong = false }) => {
    const late = run(waitMs + 2 * workMs);
    const muchTooLate = run(5 * (waitMs + workMs));
    const verdictOf = (one: RecordedRun): string => CHECKS[check](one).verdict;

    it('and no more where the machine is quiet', () => {
      expect(verdictOf(late)).toBe('invalid');
      expect(verdictOf(run(waitMs + 0.9 * workMs)) === 'invalid').toBe(isAlwaysWrong);
    });

    it.each([
      ['starved', STARVED],
      ['not measured', undefined],
    ])('of work, where the machine is %s', (_how, machine) => {
      expect(verdictOf(on(machine, late))).not.toBe('invalid');
      expect(verdictOf(on(machine, muchTooLate))).toBe('invalid');
    });

    it('and is unknown where only the machine explains that it took longer', () => {
      const { verdict, verdicts } = judge(on(STARVED, late), [check]);
      expect(verdict).toBe('unknown');
      expect(verdicts[0]).toEqual({
        ...CHECKS[check](late),
        verdict: 'unknown',
        reason: `the machine was too slow to tell; on one that is not slow: ${CHECKS[check](late).reason}`,
      });
      const [good] = judge(on(STARVED, run(waitMs + 0.9 * workMs)), [check]).verdicts;
      expect(good?.reason).not.toContain('too slow to tell');
    });
  },
);

describe('what no machine explains', () => {
  it('is invalid, however starved it was', () => {
    const stalled: MachineEvent = { ...QUIET, runnable: 1_000, cores: 1 };
    const answered = { outcome: 'missed', isFinal: true, boundMs: 10, measuredMs: 900 } as const;
    const run = createHistory().at(1_000).registers('node1', '11').expectation(answered);
    run.at(5_000).put(nodeKey('node1'), {});
    const { verdicts } = judge(on(stalled, run.run()), ['expectations', 'heartbeats']);
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['invalid', 'invalid']);
  });

  it('is not the loss of a lease that nobody was let renew', () => {
    const history = createHistory().at(100).registers('node1', '11').at(8_000).remove(nodeKey('node1'));
    const share = (runnable: number) => on({ ...QUIET, runnable }, history.run());
    expect(CHECKS.heartbeats(share(10)).verdict).not.toBe('invalid');
    expect(CHECKS.heartbeats(share(5)).verdict).toBe('invalid');
    expect(CHECKS.heartbeats(history.run()).verdict).toBe('invalid');
    expect(CHECKS.heartbeats(on(undefined, history.run())).verdict).toBe('invalid');
  });
});
