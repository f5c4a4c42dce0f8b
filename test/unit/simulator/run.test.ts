import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { SimulationResult } from '../../../src/cli/simulation.ts';
import { openPool, type SimulationPool } from '../../../src/cli/simulation-pool.ts';

describe('a simulated run', () => {
  let pool: SimulationPool;
  let folder: string;
  let runs = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'simulated-'));
    pool = openPool(1);
  });
  afterAll(async () => {
    await pool[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  const run = (scenario: string, seed: number, durationMs?: number): Promise<SimulationResult> => {
    runs += 1;
    return pool.run(0, { scenario, seed, durationMs, folder: join(folder, String(runs)) });
  };
  /** What was not valid, with its reason. */
  const complaints = ({ result }: SimulationResult): readonly string[] =>
    result.verdicts
      .filter(({ verdict }) => verdict !== 'valid')
      .map(({ check, reason }) => `${check}: ${reason}`);

  it.each([
    'export-created',
    'etcd-down-at-runtime',
    'etcd-members-down',
    'agent-down-volume-present',
    'engine-leader-down',
    'volume-moved',
  ])('of %s is valid, as it is in containers', async (scenario) => {
    expect(complaints(await run(scenario, 1))).toEqual([]);
  });

  it('is the same byte by byte with the same seed, and another one with another', async () => {
    const [one, same, other] = [
      await run('chaos', 1, 20_000),
      await run('chaos', 1, 20_000),
      await run('chaos', 2, 20_000),
    ];
    expect(same.recordDigest).toBe(one.recordDigest);
    expect(same.events).toBe(one.events);
    expect(other.recordDigest).not.toBe(one.recordDigest);
  });
});
