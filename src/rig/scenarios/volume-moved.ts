import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, DATA, LEASES_KEPT, mib, threeNodes } from './common.ts';

/** How long a consumer may have to wait for a volume that is moved, and how soon it may mount it then. */
const MOVED_MS = 10_000;
const MOUNTED_MS = 2_000;
const a = { volume: 'a', by: 'consumer1' } as const;

/**
 * A volume is moved under a consumer that writes and reads, by libnfs and through a file that it keeps open: to a named node, then to whichever the engine
 * picks. The consumer follows the events and knows from nothing else where its volume is. Two nosy readers
 * keep knocking at both nodes, to show which of them lets anybody in. node1 has the most room, so that
 * the volume begins there.
 */
export const volumeMoved: Scenario = {
  name: 'volume-moved',
  title: 'A volume is moved under a consumer, who is told, remounts, and finds every byte',
  topology: {
    ...threeNodes,
    nodes: threeNodes.nodes.map((node) => (node.name === 'node1' ? { ...node, capacityGib: 32 } : node)),
  },
  script: [
    ...CLUSTER_UP,
    { follow: 'consumer1', via: 'node2' },
    {
      call: { create: 'a', sizeGib: 1, exports: [{ consumer: 'consumer1', access: 'rw' }] },
      via: 'node3',
      status: 202,
    },
    { await: { volume: 'a', state: 'ready', on: 'node1', exported: true }, withinMs: 5_000 },
    { io: 'write', ...a, file: 'first', outcome: 'ok', withinMs: 5_000 },
    { io: 'write', ...a, file: 'large', bytes: mib(32), outcome: 'ok', withinMs: 10_000 },
    { mount: 'a', by: 'consumer1' },
    { traffic: 'application', ...a, openFile: 'log', reading: 'first' },
    { traffic: 'work', ...a },
    { traffic: 'nosy-old', ...a, reading: 'first', at: 'node1' },
    { traffic: 'nosy-new', ...a, reading: 'first', at: 'node2' },

    { mark: 'move' },
    { call: { move: 'a', to: 'node2' }, via: 'node3', status: 202 },
    {
      await: { told: 'consumer1', volume: 'a', to: 'remount', on: 'node2', after: 'move' },
      withinMs: MOVED_MS,
      since: 'move',
    },
    { await: { mounted: 'consumer1', of: 'a', on: 'node2' }, withinMs: MOUNTED_MS },
    { io: 'read', ...a, file: 'first', outcome: 'ok', withinMs: MOUNTED_MS },
    { io: 'read', ...a, file: 'large', outcome: 'ok', withinMs: 5_000 },
    { io: 'write', ...a, file: 'second', outcome: 'ok', withinMs: MOUNTED_MS },
    { io: 'read', ...a, file: 'first', at: 'node1', outcome: 'refused', withinMs: MOUNTED_MS },
    { endTraffic: 'nosy-old' },
    { endTraffic: 'nosy-new' },
    { await: { volume: 'a', state: 'ready', on: 'node2', exported: true }, withinMs: 2_000 },

    // At once: node1, where there is most room, has yet to clear up behind the first move.
    { mark: 'anywhere' },
    { call: { move: 'a' }, via: 'node2', status: 202 },
    {
      await: { told: 'consumer1', volume: 'a', to: 'remount', after: 'anywhere' },
      withinMs: MOVED_MS,
      since: 'anywhere',
    },
    { await: { volume: 'a', state: 'ready', notOn: 'node2', exported: true }, withinMs: 2_000 },
    { io: 'read', ...a, file: 'second', outcome: 'ok', withinMs: MOUNTED_MS },
    LEASES_KEPT,
    { endTraffic: 'work' },
    { endTraffic: 'application' },
    { await: { empty: 'node2' }, withinMs: 10_000 },
  ],
  checks: [...ALWAYS, ...DATA, 'moves', 'told', 'watch'],
};
