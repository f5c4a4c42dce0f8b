import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { ofCleanSystem, openSimulatedLaboratory } from '../../planted/simulated-laboratory.ts';
import { readBugs } from '../../planted/sources.ts';
import { type Trial, tryAll } from '../../planted/trial.ts';

it('takes the clean system for valid if no seed accuses it, and one at least says something', () => {
  const found = (...verdicts: readonly ('invalid' | 'unknown')[]) => verdicts.map((verdict) => ({ verdict }));
  expect(ofCleanSystem(found(), 2)).toBe('valid');
  expect(ofCleanSystem(found('unknown'), 2)).toBe('valid');
  expect(ofCleanSystem(found('unknown', 'unknown'), 2)).toBe('unknown');
  expect(ofCleanSystem(found('unknown', 'invalid'), 2)).toBe('invalid');
});

it('catches a bug that is planted into simulated runs, in which the clean system is valid', async () => {
  const out = mkdtempSync(join(tmpdir(), 'planted-'));
  try {
    const { signal } = new AbortController();
    await using laboratory = openSimulatedLaboratory({ clock: createSystemClock(), signal, out, seeds: 2 });
    const trials: Trial[] = [];
    const bugs = readBugs().filter(({ name }) => name === 'renewal-failure-unhandled');
    for await (const trial of tryAll(bugs, laboratory)) trials.push(trial);
    expect(trials.map(({ outcome, told }) => [outcome, told])).toEqual([
      ['passed', 'valid'],
      ['passed', 'logs in 2 of 2 seeds'],
    ]);
  } finally {
    rmSync(out, { recursive: true });
  }
});
