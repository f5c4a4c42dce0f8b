import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SimulationResult } from '../../../src/cli/simulation.ts';
import { openPool, type SimulationPool } from '../../../src/cli/simulation-pool.ts';
import { FAULT_FAMILIES, SCENARIOS } from '../../../src/rig/scenarios/catalogue.ts';

describe('a simulated run', () => {
  let pool: SimulationPool;
  let folder: string;
  let runs = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'simulated-'));
    pool = openPool(2);
  });
  afterAll(async () => {
    await pool[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const run = (
    scenario: string,
    seed: number,
    durationMs?: number,
    thread = 0,
  ): Promise<SimulationResult> => {
    runs += 1;
    return pool.run(thread, { scenario, seed, durationMs, folder: join(folder, String(runs)) });
  };
  /** What was not valid, with its reason. */
  const complaints = ({ result }: SimulationResult): readonly string[] =>
    result.verdicts
      .filter(({ verdict }) => verdict !== 'valid')
      .map(({ check, reason }) => `${check}: ${reason}`);

  it.each(SCENARIOS.filter((scenario) => !FAULT_FAMILIES.includes(scenario)).map(({ name }) => name))(
    'of %s is valid, as it is in containers',
    async (scenario) => {
      expect(complaints(await run(scenario, 1))).toEqual([]);
    },
  );

  it.each(FAULT_FAMILIES.map(({ name }) => name))(
    'of %s accuses nobody, and each fault can be had',
    async (scenario) => {
      const { result } = await run(scenario, 1);
      expect(result.verdicts.filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
      const faults = result.verdicts.find(({ check }) => check === 'faults');
      expect(faults?.reason).not.toMatch(/can't be had here/);
    },
  );

  it('is the same byte by byte with the same seed, in another thread too, and another one with another', async () => {
    const one = await run('chaos', 1, 20_000);
    const same = await run('chaos', 1, 20_000, pool.size - 1);
    const other = await run('chaos', 2, 20_000);
    expect(same.recordDigest).toBe(one.recordDigest);
    expect(same.events).toBe(one.events);
    expect(other.recordDigest).not.toBe(one.recordDigest);
  });
});
