// Scenarios on real containers, the project's main job: every one that is written by hand;
// `npm run system-test` runs the families of faults, too.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { openContainers } from '../../src/cluster/containers.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import type { Mode } from '../../src/rig/lifecycle.ts';
import { FAULT_FAMILIES, SCENARIOS } from '../../src/rig/scenarios/catalogue.ts';
import { playValid } from '../support/played.ts';

const IMAGES_MS = 600_000;
const SCENARIO_MS = 300_000;

/**
 * The families of faults take `rig run all` longer than all others together. They run simulated among the unit tests,
 * and each fault has a test of its own here.
 */
const CHOSEN = SCENARIOS.filter((scenario) => !FAULT_FAMILIES.includes(scenario));

describe('scenarios in containers', () => {
  const clock = createSystemClock();
  let mode: Mode;
  let out: string;

  beforeAll(async () => {
    // Where a run that fails is to be looked into; git ignores it.
    out = join(ROOT_FOLDER, 'runs', `system-test-${newRunId()}`);
    mode = await openContainers(clock, () => undefined);
  }, IMAGES_MS);

  afterAll(async () => {
    await mode[Symbol.asyncDispose]();
  });

  it.each(CHOSEN)(
    '$name: $title',
    async (scenario) => {
      const result = await playValid({
        scenario,
        folder: join(out, scenario.name),
        runId: newRunId(),
        clock,
        signal: AbortSignal.timeout(SCENARIO_MS),
        deploy: mode.deploy,
      });
      await rm(result.folder, { recursive: true });
    },
    // Longer than the run's own limit: a run that is given up still has to clean up.
    SCENARIO_MS + 60_000,
  );
});
