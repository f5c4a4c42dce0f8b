import type { Failpoint } from '../../base/failpoints.ts';
import type { Workload } from '../workload/spec.ts';
import { threeNodes } from './common.ts';
import { ALL_WORK, type FaultInTurn, faultFamily } from './fault-family.ts';

const [node1, node2] = threeNodes.nodes;

/** By work of clients alone, whoever is drawn may not come to it in time. */
const COMES_OF = {
  witness: { create: 2, remove: 2, move: 2 },
  create: { create: 3, remove: 2 },
  clone: { create: 1, clone: 3, remove: 2 },
  'set-quota': { resize: 1 },
  rewrite: { defragment: 1, compress: 1 },
  export: { reexport: 1 },
  unexport: { create: 2, remove: 2 },
  trash: { create: 2, remove: 2 },
  adopt: { move: 1 },
  conclude: { resize: 1, move: 1 },
} satisfies Readonly<Record<string, Workload['mix']>>;

/** Before it is done, it fails once; as soon as it was done, the process ends. */
const around = ([step, meanwhile]: readonly [string, Workload['mix']]): FaultInTurn => ({
  inject: {
    fault: 'failpoint',
    on: 'one',
    failpoints: `agent/before-${step}=1*error;agent/after-${step}=crash`,
  },
  meanwhile,
});

const crash = (place: Failpoint): FaultInTurn => ({
  inject: { fault: 'failpoint', on: 'one', failpoints: `${place}=crash` },
  meanwhile: { move: 1 },
});

/** Every failpoint of the daemon: each boundary between an action and its record. */
export const faultsCode = faultFamily({
  name: 'faults-code',
  title: 'Clients work while engines and agents stumble at every boundary between an action and its record',
  topology: {
    ...threeNodes,
    // Of two each has its part in everything, so that it comes to its failpoint: either has room for all.
    nodes: [
      { ...node1, capacityGib: 32 },
      { ...node2, capacityGib: 32 },
    ],
    settings: { ...threeNodes.settings, failpointSwitches: true },
  },
  workload: {
    ...ALL_WORK,
    mix: {
      ...ALL_WORK.mix,
      ...{ create: 5, clone: 5, resize: 6, reexport: 3, move: 6, compress: 3, remove: 4, get: 6, write: 6 },
    },
    volumes: { most: 20, sizesGib: [0.25, 0.375, 0.5] },
    ratePerSecond: 12,
  },
  faults: [
    { inject: { fault: 'failpoint', on: 'leader', failpoints: 'engine/before-transact=1*error' } },
    { inject: { fault: 'failpoint', on: 'leader', failpoints: 'engine/after-transact=crash' } },
    {
      inject: { fault: 'failpoint', on: 'one', failpoints: 'agent/before-export=pause' },
      meanwhile: COMES_OF.export,
    },
    ...Object.entries(COMES_OF).map(around),
    crash('move/after-freeze'),
    crash('move/after-send'),
    crash('move/after-receive'),
    crash('move/after-cutover'),
    crash('move/before-handover'),
    crash('move/after-handover'),
    crash('move/after-verify'),
  ],
});
