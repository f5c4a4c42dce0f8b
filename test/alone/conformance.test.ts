// The modes agree: the same scripts come to the same wherever they are played. So what is found in simulated
// time, a thousand seeds a night, is worth something.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Clock, createSystemClock } from '../../src/base/clock.ts';
import { openPool } from '../../src/cli/simulation-pool.ts';
import { openContainers } from '../../src/cluster/containers.ts';
import { openKv } from '../../src/cluster/open-kv.ts';
import { openProcesses } from '../../src/cluster/processes.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import type { RunMode } from '../../src/rig/history.ts';
import type { Mode } from '../../src/rig/lifecycle.ts';
import { readRecordedRun } from '../../src/rig/record-files.ts';
import { type RunResult, runScenario } from '../../src/rig/run.ts';
import { type Outcome, outcomeOf } from '../support/conformance/outcome.ts';
import { conformance } from '../support/conformance/script.ts';

/** Building the images included. */
const PLAYED_MS = 600_000;
const SEED = 1;

/** Plays the scenario; its record is in that folder. */
type Player = (folder: string) => Promise<RunResult>;

const simulated: Player = async (folder) => {
  await using pool = openPool(1);
  const asked = { scenario: conformance, seed: SEED, durationMs: undefined, folder };
  return (await pool.run(0, asked)).result;
};

const real =
  (open: (clock: Clock) => Promise<Mode>, recorded?: { readonly mode: RunMode }): Player =>
  async (folder) => {
    const clock = createSystemClock();
    await using mode = await open(clock);
    return await runScenario({
      ...{ scenario: conformance, seed: SEED, folder, runId: newRunId(), ...recorded },
      clock,
      signal: AbortSignal.timeout(PLAYED_MS),
      deploy: mode.deploy,
      openKv,
      keep: 'never',
      onProgress: () => undefined,
    });
  };

/** Every one is compared with the first. */
const MODES: readonly (readonly [name: string, play: Player])[] = [
  ['simulated', simulated],
  ['process', real((clock) => openProcesses(clock, () => undefined), { mode: 'process' })],
  ['containers', real((clock) => openContainers(clock, () => undefined))],
];

describe('the same scripts', () => {
  let out: string;
  const outcomes = new Map<string, Outcome>();
  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'conformance-'));
    for (const [name, play] of MODES) {
      const { folder, verdicts } = await play(join(out, name));
      outcomes.set(name, outcomeOf(await readRecordedRun(folder), verdicts));
    }
  }, PLAYED_MS + 60_000);
  afterAll(() => rm(out, { recursive: true }));

  it.each(MODES)('come in the mode %s to what was expected', (name) => {
    const { verdicts = {}, expectations = [] } = outcomes.get(name) ?? {};
    expect(Object.entries(verdicts).filter(([, verdict]) => verdict !== 'valid')).toEqual([]);
    expect(expectations.length).toBeGreaterThan(50);
  });

  it.each(MODES.slice(1))('come in the mode %s to what they come to when they are simulated', (name) => {
    expect(outcomes.get(name)).toEqual(outcomes.get('simulated'));
  });
});
