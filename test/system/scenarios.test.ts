// Every scenario on real containers: the project's main job.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { newRunId, openContainers, openKv } from '../../src/cli/containers.ts';
import type { Mode } from '../../src/rig/lifecycle.ts';
import { runScenario } from '../../src/rig/run.ts';
import { SCENARIOS } from '../../src/rig/scenarios/catalogue.ts';

const IMAGES_MS = 600_000;
const SCENARIO_MS = 120_000;

describe('scenarios in containers', () => {
  const clock = createSystemClock();
  let mode: Mode;
  let out: string;

  beforeAll(async () => {
    out = await mkdtemp(join(tmpdir(), 'cobalt-rig-'));
    mode = await openContainers(clock, () => undefined);
  }, IMAGES_MS);

  afterAll(async () => {
    await mode[Symbol.asyncDispose]();
    await rm(out, { recursive: true, force: true });
  });

  it.each(SCENARIOS)(
    '$name: $title',
    async (scenario) => {
      const result = await runScenario({
        scenario,
        seed: 1,
        folder: join(out, scenario.name),
        runId: newRunId(),
        clock,
        signal: AbortSignal.timeout(SCENARIO_MS),
        deploy: mode.deploy,
        openKv,
        keep: 'never',
        onProgress: () => undefined,
      });
      expect(result.verdicts.filter((verdict) => verdict.verdict !== 'valid')).toEqual([]);
      expect(result.verdict).toBe('valid');
    },
    SCENARIO_MS,
  );
});
