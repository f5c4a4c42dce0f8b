// Scenarios as tests play them.

import { expect } from '@jest/globals';
import { openKv } from '../../src/cluster/open-kv.ts';
import { type RunOptions, type RunResult, runScenario } from '../../src/rig/run.ts';

/** Of seed 1. Every check has to be valid; who calls removes the folder then, and where it is not, looks into it. */
export async function playValid(
  options: Omit<RunOptions, 'seed' | 'openKv' | 'keep' | 'onProgress'>,
): Promise<RunResult> {
  const result = await runScenario({
    ...options,
    seed: 1,
    openKv,
    keep: 'never',
    onProgress: () => undefined,
  });
  expect(result.verdicts.filter((verdict) => verdict.verdict !== 'valid')).toEqual([]);
  expect(result.verdict).toBe('valid');
  return result;
}
