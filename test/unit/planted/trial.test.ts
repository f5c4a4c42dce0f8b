import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import type { Judgement, Verdict } from '../../../src/rig/history.ts';
import type { PlantedBug } from '../../planted/bug.ts';
import { lineOf, readmeRows, tableOf } from '../../planted/table.ts';
import { exitCodeOfTrials, type Finding, type Laboratory, type Trial, tryAll } from '../../planted/trial.ts';

const bugOf = (name: string, run: string): PlantedBug => ({
  name,
  wrong: `${name} is wrong.`,
  caughtBy: 'fencing',
  run,
  patches: [],
});
const finding = (verdict: Judgement, ...checks: readonly Verdict[]): Finding => ({
  verdict,
  verdicts: checks,
});
const by = (check: string, verdict: Judgement = 'invalid'): Verdict => ({
  check,
  verdict,
  reason: `${check}!`,
});
const VALID = finding('valid', by('fencing', 'valid'));

async function trialsOf(bugs: readonly PlantedBug[], run: Laboratory['run']): Promise<readonly Trial[]> {
  let nowMs = 0;
  const now = (): number => {
    nowMs += 500;
    return nowMs;
  };
  const trials: Trial[] = [];
  for await (const trial of tryAll(bugs, { run, now })) trials.push(trial);
  return trials;
}

/** The trial of a bug of which this is found, in a run that the clean system passes. */
async function trialOf(found: Finding): Promise<Trial> {
  const [, trial] = await trialsOf([bugOf('a', 'one')], async (_run, bug) => (bug === null ? VALID : found));
  if (trial === undefined) throw new Error('the bug was not tried');
  return trial;
}

describe('a trial', () => {
  it('is passed when the named check says invalid, and tells its reason', async () => {
    const trial = await trialOf(finding('invalid', by('fencing'), by('logs')));
    expect(trial).toMatchObject({ outcome: 'passed', told: 'fencing', evidence: 'fencing!', elapsedMs: 500 });
  });

  it('tells in how many runs it was found, where there were several', async () => {
    const found = { ...finding('invalid', by('fencing')), note: 'in 3 of 10 seeds' };
    expect(await trialOf(found)).toMatchObject({ outcome: 'passed', told: 'fencing in 3 of 10 seeds' });
  });

  it.each([
    ['valid', VALID, 'not by fencing: valid'],
    ['unknown', finding('unknown', by('fencing', 'unknown')), 'not by fencing: unknown by fencing'],
    ['invalid by another check', finding('invalid', by('logs')), 'not by fencing: invalid by logs'],
  ])('is missed when the verdict is %s', async (_what, found, told) => {
    expect(await trialOf(found)).toMatchObject({ outcome: 'missed', told });
  });
});

describe('trials', () => {
  it('run the clean system once for all bugs of a run', async () => {
    const ran: string[] = [];
    await trialsOf([bugOf('a', 'one'), bugOf('b', 'two'), bugOf('c', 'one')], async (run, bug) => {
      ran.push(`${run} ${bug?.name ?? 'clean'}`);
      return VALID;
    });
    expect(ran).toEqual(['one clean', 'one a', 'one c', 'two clean', 'two b']);
  });

  const caught = finding('invalid', by('fencing'));

  it('end with 0 when every bug is caught and the clean system passes', async () => {
    const trials = await trialsOf([bugOf('a', 'one')], async (_run, bug) => (bug === null ? VALID : caught));
    expect(exitCodeOfTrials(trials)).toBe(0);
  });

  it('end with 1 when the clean system is not valid', async () => {
    const trials = await trialsOf([bugOf('a', 'one')], async () => caught);
    expect(trials[0]).toMatchObject({ outcome: 'missed', told: 'invalid: fencing' });
    expect(exitCodeOfTrials(trials)).toBe(1);
  });

  it('end with 3 when the machine failed once, after all others were tried', async () => {
    const trials = await trialsOf([bugOf('a', 'one'), bugOf('b', 'one')], async (_run, bug) => {
      if (bug?.name === 'a') throw new RigError('machine', 'no disk');
      return bug === null ? VALID : caught;
    });
    expect(trials.map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'passed']);
    expect(trials[1]).toMatchObject({ told: 'no disk' });
    expect(exitCodeOfTrials(trials)).toBe(3);
  });

  it('stop when they are interrupted', async () => {
    const run = async (): Promise<Finding> => {
      throw new RigError('aborted', 'the run was interrupted');
    };
    await expect(trialsOf([bugOf('a', 'one')], run)).rejects.toMatchObject({ code: 'aborted' });
  });

  it('tell the track record of nothing in a run that the clean system did not pass', async () => {
    const trials = await trialsOf([bugOf('a', 'one')], async () => caught);
    expect(trials[1]).toMatchObject({ outcome: 'passed' });
    expect(readmeRows(trials, 'abc1234')).toEqual([]);
  });

  it('are told as a line, as a table, and as rows of the track record for what was caught', async () => {
    const trials = await trialsOf([bugOf('a', 'one'), bugOf('b', 'one')], async (_run, bug) =>
      bug?.name === 'a' ? caught : VALID,
    );
    expect(trials.map(lineOf)[1]).toBe('        a  fencing  one  0.5 s');
    expect(tableOf(trials).split('\n')).toEqual([
      '        bug      caught by              in   time',
      '        (clean)  valid                  one  0.5 s',
      '        a        fencing                one  0.5 s',
      'MISSED  b        not by fencing: valid  one  0.5 s',
    ]);
    expect(readmeRows(trials, 'abc1234')).toEqual([
      '| a is wrong | `fencing` in `one` | `npm run planted -- a` | abc1234 |',
    ]);
  });
});
