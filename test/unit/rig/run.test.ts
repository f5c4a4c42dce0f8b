import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { RigError } from '../../../src/base/errors.ts';
import { waitFor } from '../../../src/base/retry.ts';
import type { HistoryEvent } from '../../../src/rig/history.ts';
import { runScenario } from '../../../src/rig/run.ts';

it('a run records how busy the machine is from before the cluster is started', async () => {
  const clock = createSystemClock();
  const parent = await mkdtemp(join(tmpdir(), 'rig-run-'));
  const folder = join(parent, 'run');
  const recorded = async (): Promise<readonly HistoryEvent[]> => {
    const lines = (await readFile(join(folder, 'history.jsonl'), 'utf8')).split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as HistoryEvent);
  };
  const refused = new RigError('machine', 'there is no Docker');
  const topology = { nodes: [{ name: 'node1' }] };
  const run = runScenario({
    scenario: { name: 'none', title: 'Nothing has to hold.', topology, script: [], checks: [] },
    seed: 1,
    folder,
    runId: 'r1',
    clock,
    signal: new AbortController().signal,
    machine: { cores: 2, runnable: () => 7 },
    deploy: async () => {
      const probe = async () => ((await recorded()).length > 0 ? true : undefined);
      await waitFor({ clock, what: 'a record of the machine', timeoutMs: 30_000, probe });
      throw refused;
    },
    openKv: () => {
      throw refused;
    },
    keep: 'never',
    onProgress: () => undefined,
  });
  await expect(run).rejects.toBe(refused);
  expect((await recorded())[0]).toMatchObject({ type: 'machine', runnable: 7, cores: 2 });
  await rm(parent, { recursive: true });
});
