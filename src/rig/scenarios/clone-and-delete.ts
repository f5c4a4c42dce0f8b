import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, DATA, LEASES_KEPT, mib, threeNodes } from './common.ts';

const exports = [{ consumer: 'consumer1', access: 'rw' }] as const;
const a = { volume: 'a', by: 'consumer1' } as const;
const b = { volume: 'b', by: 'consumer1' } as const;
/** The first clone on each node takes so long: long enough to be asked about. */
const HESITATION_MS = 2_000;

/**
 * A volume is cloned while it is written. While the clone is pending the parent can't be deleted; afterwards
 * it can, and the clone has all that the parent had, and a quota of its own.
 */
export const cloneAndDelete: Scenario = {
  name: 'clone-and-delete',
  title: 'A clone outlives its parent, which can be deleted only once the clone is made',
  topology: {
    ...threeNodes,
    // Agents that seldom compare can't mend at once what they did wrong.
    settings: {
      ...threeNodes.settings,
      reconcileIntervalMs: 10_000,
      failpoints: `agent/before-clone=1*sleep(${HESITATION_MS})`,
    },
  },
  script: [
    ...CLUSTER_UP,
    { call: { create: 'a', sizeGib: 1 / 16, exports }, via: 'node1', status: 202 },
    { await: { volume: 'a', state: 'ready', exported: true }, withinMs: 5_000 },
    { io: 'write', ...a, file: 'one', bytes: mib(8), outcome: 'ok', withinMs: 5_000 },
    { traffic: 'work', ...a },
    { call: { clone: 'b', of: 'a', sizeGib: 1 / 4, exports }, via: 'node2', status: 202 },
    { call: { remove: 'a' }, via: 'node3', status: 409, because: { clones: ['b'] } },
    { await: { volume: 'b', state: 'ready', exported: true }, withinMs: HESITATION_MS + 3_000 },
    { io: 'write', ...a, file: 'later', outcome: 'ok', withinMs: 5_000 },
    { io: 'read', ...b, file: 'one', outcome: 'ok', withinMs: 5_000 },
    // More than the parent may hold.
    { io: 'write', ...b, file: 'own', bytes: mib(80), outcome: 'ok', withinMs: 20_000 },
    { endTraffic: 'work' },

    { call: { remove: 'a' }, via: 'node3', status: 202 },
    { await: { volume: 'a', state: 'absent' }, withinMs: 5_000 },
    { io: 'read', ...b, file: 'one', outcome: 'ok', withinMs: 5_000 },
    { io: 'write', ...b, file: 'two', outcome: 'ok', withinMs: 5_000 },
    LEASES_KEPT,
  ],
  checks: [...ALWAYS, ...DATA, 'clones'],
};
