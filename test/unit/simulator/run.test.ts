import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOfRecord } from '../../../src/cli/record-digest.ts';
import type { SimulationResult } from '../../../src/cli/simulation.ts';
import { openPool, type SimulationPool } from '../../../src/cli/simulation-pool.ts';
import { FAULT_FAMILIES, SCENARIOS } from '../../../src/rig/scenarios/catalogue.ts';

const CHAOS_SEEDS = 5;

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
  const digestOf = ({ result }: SimulationResult): string => digestOfRecord(result.folder);
  /** What was not valid, with its reason. */
  const complaints = ({ result }: SimulationResult): readonly string[] =>
    result.verdicts
      .filter(({ verdict }) => verdict !== 'valid')
      .map(({ check, reason }) => `${check}: ${reason}`);

  /** Twice, in two threads; answers with the first when both have come to the same. */
  const repeated = async (scenario: string, seed: number, durationMs?: number): Promise<SimulationResult> => {
    const [one, other] = await Promise.all([
      run(scenario, seed, durationMs),
      run(scenario, seed, durationMs, pool.size - 1),
    ]);
    expect([digestOf(other), other.events]).toEqual([digestOf(one), one.events]);
    return one;
  };

  it.each(SCENARIOS.filter((scenario) => !FAULT_FAMILIES.includes(scenario)).map(({ name }) => name))(
    'of %s is valid, as it is in containers, and the same byte by byte when it is repeated',
    async (scenario) => {
      expect(complaints(await repeated(scenario, 1))).toEqual([]);
    },
  );

  it.each(FAULT_FAMILIES.map(({ name }) => name))(
    'of %s accuses nobody, each fault can be had, and all is the same when it is repeated',
    async (scenario) => {
      const { result } = await repeated(scenario, 1);
      expect(result.verdicts.filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
      const faults = result.verdicts.find(({ check }) => check === 'faults');
      expect(faults?.reason).not.toMatch(/can't be had here/);
    },
  );

  it('of chaos is the same byte by byte with the same seed, and another one with each other seed', async () => {
    const digests = new Set<string>();
    for (let seed = 1; seed <= CHAOS_SEEDS; seed += 1) {
      const one = await repeated('chaos', seed, 20_000);
      expect(one.result.verdicts.filter(({ verdict }) => verdict === 'invalid')).toEqual([]);
      digests.add(digestOf(one));
    }
    expect(digests.size).toBe(CHAOS_SEEDS);
  });
});
