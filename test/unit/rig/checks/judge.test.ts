import { describe, expect, it } from '@jest/globals';
import { CHECK_NAMES, type CheckName } from '../../../../src/rig/checks/catalogue.ts';
import { EXIT_MACHINE, exitCodeOf } from '../../../../src/rig/checks/exit-codes.ts';
import { judge, worstOf } from '../../../../src/rig/checks/judge.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { createHistory } from '../support/history.ts';
import { movedRun } from '../support/moves.ts';
import { calmRun, outageRun } from '../support/runs.ts';

/** These see nothing in a run without an outage of etcd; these nothing where no volume is moved or cloned. */
const ABOUT_OUTAGES: ReadonlySet<string> = new Set(['outage-changes-nothing', 'traffic-uninterrupted']);
const ABOUT_MOVES: ReadonlySet<string> = new Set(['moves', 'rebalance-converges', 'told', 'clones']);
/** What is told here is what clients have to do, and nothing else; calls show no bodies; no fault is injected. */
const ABOUT_MORE: ReadonlySet<string> = new Set(['watch', 'linearizable', 'faults']);
const STAYING = CHECK_NAMES.filter((name) => !ABOUT_MOVES.has(name) && !ABOUT_MORE.has(name));

describe('judge', () => {
  it('finds nothing wrong with a calm run', () => {
    const names = STAYING.filter((name) => !ABOUT_OUTAGES.has(name));
    const { verdict, verdicts } = judge(calmRun().history.run(), names);
    expect(verdicts.filter((each) => each.verdict !== 'valid')).toEqual([]);
    expect(verdict).toBe('valid');
  });

  it('finds nothing wrong with a run through an outage of etcd', () => {
    const { verdicts } = judge(outageRun().history.run(), STAYING);
    expect(verdicts.filter((each) => each.verdict !== 'valid')).toEqual([]);
  });

  it('finds nothing wrong with a run in which a volume is moved and cloned', () => {
    const names = CHECK_NAMES.filter((name) => !ABOUT_OUTAGES.has(name) && !ABOUT_MORE.has(name));
    const { verdicts } = judge(movedRun().history.run(), names);
    expect(verdicts.filter((each) => each.verdict !== 'valid')).toEqual([]);
  });

  it('lets no check pass on a run in which nothing happened', () => {
    const { verdict, verdicts } = judge(createHistory().run(), CHECK_NAMES);
    expect(verdicts.map((each) => each.verdict)).toEqual(CHECK_NAMES.map(() => 'unknown'));
    expect(verdict).toBe('unknown');
  });

  it('names each verdict after its check', () => {
    const { verdicts } = judge(calmRun().history.run(), CHECK_NAMES);
    expect(verdicts.map(({ check }) => check)).toEqual(CHECK_NAMES);
  });

  it('takes a check that throws as unknown, and says why', () => {
    const broken = { ...calmRun().history.run(), etcd: null } as unknown as RecordedRun;
    const [verdict] = judge(broken, ['legal-transitions']).verdicts;
    expect(verdict?.verdict).toBe('unknown');
    expect(verdict?.reason).toMatch(/the check itself failed: TypeError/);
  });

  it('is unknown when no check was asked for', () => {
    expect(judge(calmRun().history.run(), []).verdict).toBe('unknown');
    const names: readonly CheckName[] = ['legal-transitions'];
    expect(judge(calmRun().history.run(), names).verdict).toBe('valid');
  });

  it('puts the worst verdict first, and maps it to the exit codes that README has', () => {
    expect(worstOf(['valid', 'unknown', 'invalid'])).toBe('invalid');
    expect(worstOf(['valid', 'unknown'])).toBe('unknown');
    expect([exitCodeOf('valid'), exitCodeOf('invalid'), exitCodeOf('unknown'), EXIT_MACHINE]).toEqual([
      0, 1, 2, 3,
    ]);
  });
});
