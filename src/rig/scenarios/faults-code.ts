import type { Failpoint } from '../../base/failpoints.ts';
import { threeNodes } from './common.ts';
import { ALL_WORK, type FaultInTurn, faultFamily } from './fault-family.ts';

const [node1, node2] = threeNodes.nodes;

/** Before it is done, it fails once; as soon as it was done, the process ends. */
const around = (step: string): FaultInTurn => ({
  inject: {
    fault: 'failpoint',
    on: 'one',
    failpoints: `agent/before-${step}=1*error;agent/after-${step}=crash`,
  },
});

const crash = (...places: readonly Failpoint[]): FaultInTurn => ({
  inject: { fault: 'failpoint', on: 'one', failpoints: places.map((place) => `${place}=crash`).join(';') },
});

/** Every failpoint of the daemon: each boundary between an action and its record. */
export const faultsCode = faultFamily({
  name: 'faults-code',
  title: 'Clients work while engines and agents stumble at every boundary between an action and its record',
  topology: {
    ...threeNodes,
    // Of two each has its part in everything, so that it comes to its failpoint.
    nodes: [node1, node2],
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
    { inject: { fault: 'failpoint', on: 'one', failpoints: 'agent/before-export=pause' } },
    ...[
      'witness',
      'create',
      'clone',
      'set-quota',
      'rewrite',
      'export',
      'unexport',
      'trash',
      'adopt',
      'conclude',
    ].map(around),
    crash('move/after-freeze'),
    crash('move/after-send'),
    crash('move/after-receive'),
    crash('move/after-cutover'),
    crash('move/before-handover'),
    crash('move/after-handover'),
    crash('move/after-verify'),
  ],
});
