import type { Scenario } from '../scenario.ts';
import type { Workload } from '../workload/spec.ts';
import { ALWAYS, CLUSTER_UP, threeNodes } from './common.ts';

const WORK_MS = 5_000;

/**
 * More than the cluster can do, so that every client calls again as soon as it has its answer. Mostly
 * refused: of those that have seen the same ETag one can win.
 */
const WRITERS: Workload = {
  clients: 8,
  ratePerSecond: 400,
  mix: { list: 1, get: 20, reexport: 10, resize: 1 },
  volumes: { most: 1, sizesGib: [0.25, 0.5] },
  fileBytes: [],
  conditionalPercent: 100,
  constrainedPercent: 0,
  leastPercent: 5,
};

/** Clients read one volume and change it on condition of the ETag that they saw, all at once. */
export const concurrentUpdates: Scenario = {
  name: 'concurrent-updates',
  title: 'Of clients that change a volume on condition of the same ETag one succeeds, and no update is lost',
  topology: threeNodes,
  script: [
    ...CLUSTER_UP,
    // By the first list every client knows of it.
    { call: { create: 'a', sizeGib: 0.25 }, via: 'node1', status: 202 },
    { workload: WRITERS, as: 'writers' },
    { hold: WORK_MS, why: 'clients race each other' },
    { endTraffic: 'writers' },
  ],
  checks: [...ALWAYS, 'linearizable'],
};
