import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOfRecord } from '../../../src/cli/record-digest.ts';
import type { SimulationResult } from '../../../src/cli/simulation.ts';
import { openPool, type SimulationPool } from '../../../src/cli/simulation-pool.ts';
import { judge } from '../../../src/rig/checks/judge.ts';
import { readRecordedRun, readRunFile } from '../../../src/rig/record-files.ts';
import type { KeepsRecord } from '../../../src/rig/run.ts';
import type { Scenario } from '../../../src/rig/scenario.ts';

/** Of which nothing can be said. */
const EMPTY: Scenario = {
  name: 'empty',
  title: 'Nobody asks for anything',
  topology: { nodes: [{ name: 'node1' }] },
  script: [],
  checks: ['ends'],
};

describe('the record of a simulated run', () => {
  let pool: SimulationPool;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'record-'));
    pool = openPool(1);
  });
  afterAll(async () => {
    await pool[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const run = (
    scenario: string | Scenario,
    name: string,
    keepsRecord: KeepsRecord,
  ): Promise<SimulationResult> =>
    pool.run(0, { scenario, seed: 1, durationMs: 10_000, folder: join(folder, name), keepsRecord });

  it('is the same on disk as it happens and when it is over, and comes to the same verdicts from memory', async () => {
    const { result: asItHappens } = await run('chaos', 'always', 'always');
    const { result: whenOver } = await run('chaos', 'when-over', 'when-over');
    expect(digestOfRecord(whenOver.folder)).toBe(digestOfRecord(asItHappens.folder));
    expect(await readRunFile(whenOver.folder)).toEqual(await readRunFile(asItHappens.folder));
    expect(whenOver.verdicts).toEqual(asItHappens.verdicts);
    expect(existsSync(join(asItHappens.folder, 'report.html'))).toBe(true);
    expect(existsSync(join(whenOver.folder, 'report.html'))).toBe(false);
  });

  it('is never on disk where the run is valid and nobody wants it', async () => {
    const { result } = await run('chaos', 'valid', 'unless-valid');
    expect([result.verdict, existsSync(result.folder)]).toEqual(['valid', false]);
  });

  it('is there with its report where there is something to report, and comes to that again', async () => {
    const { result } = await run(EMPTY, 'empty', 'unless-valid');
    expect(result.verdict).toBe('unknown');
    expect(judge(await readRecordedRun(result.folder), ['ends']).verdicts).toEqual(result.verdicts);
    expect(existsSync(join(result.folder, 'report.html'))).toBe(true);
  });

  it('is not kept of what is only tried, whatever comes of it', async () => {
    const { result } = await run(EMPTY, 'tried', 'never');
    expect([result.verdict, existsSync(result.folder)]).toEqual(['unknown', false]);
  });
});
