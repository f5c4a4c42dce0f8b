// A daemon that dies at any of its failpoints, in the midst of anything, and is
// started again on what it left: disk, NFS server and etcd come to agree, what
// was ordered is done, nothing is lost and nothing is left over.

import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FAILPOINTS, type Failpoint } from '../../src/base/failpoints.ts';
import { waitFor } from '../../src/base/retry.ts';
import { createMemoryStore } from '../../src/kv/memory.ts';
import { BACKENDS, type Backend } from '../contract/kv-backends.ts';
import { disagreements, untilAgreement } from '../support/agreement.ts';
import { clock, startCluster, type TestCluster, type TestNode, wipe } from '../support/cluster.ts';
import { OPERATIONS, type Operation } from '../support/operations.ts';

const RECONCILE_INTERVAL_MS = 50;
/** What is suspected of being an orphan goes at the second comparison. */
const HELD_MS = 2 * RECONCILE_INTERVAL_MS;

interface Case {
  readonly what: string;
  readonly operation: Operation;
  readonly point: Failpoint;
  readonly occurrence: number;
}

const CASES: readonly Case[] = Object.entries(OPERATIONS).flatMap(([name, operation]) =>
  operation.points.map((at) => {
    const [point, occurrence] = typeof at === 'string' ? ([at, 1] as const) : at;
    const time = occurrence === 1 ? '' : `, the ${occurrence}nd time`;
    return { what: `${name}: ${point}${time}`, operation, point, occurrence };
  }),
);
/** etcd is slow to set up; what it might do otherwise doesn't depend on where exactly somebody dies. */
const SAMPLE: readonly Case[] = CASES.filter(({ point }) =>
  ['agent/before-conclude', 'move/before-handover', 'move/after-handover'].includes(point),
);

/** Two nodes and no more than one export of a volume, ever: `violations` has the others. */
async function start(connect: Backend['connect']) {
  const cluster = await startCluster({
    connect,
    // The larger one is preferred.
    nodes: {
      a: { capacityGib: 16, reconcileIntervalMs: RECONCILE_INTERVAL_MS },
      b: { capacityGib: 8, reconcileIntervalMs: RECONCILE_INTERVAL_MS, roles: ['agent'] },
    },
  });
  const nodes = [cluster.node('a'), cluster.node('b')];
  const violations: string[] = [];
  for (const { name, exporter } of nodes) {
    const { exports } = exporter.server;
    const { set } = exports;
    exports.set = function (id, rules) {
      const elsewhere = nodes.filter((node) => node.name !== name && node.exporter.server.exports.has(id));
      violations.push(...elsewhere.map((node) => `${name} exports ${id}, as ${node.name} does`));
      return set.call(this, id, rules);
    };
  }
  for (const { name } of nodes) await cluster.logged(name, 'agent.registered');
  return { cluster, nodes, violations };
}

async function crashAndRecover(connect: Backend['connect'], { operation, point, occurrence }: Case) {
  const { cluster, nodes, violations } = await start(connect);
  await using _cluster: TestCluster = cluster;
  const begin = await operation.prepare(cluster);
  const victim = cluster.node(operation.node);
  const role = point.startsWith('engine/') ? 'engine' : 'agent';
  let isDead = false;
  void victim.ambush.crashAt(point, occurrence).then(() => {
    isDead = true;
  });
  const { contents, done } = await begin();
  await waitFor({
    ...{ clock, what: `somebody to die at ${point}`, timeoutMs: 5000, intervalMs: 5 },
    probe: async () => isDead || undefined,
  });
  await victim.start(role);
  await done();
  await untilAgreement(cluster, { nodes, contents, heldMs: HELD_MS });
  expect(violations).toEqual([]);
}

/**
 * Of the role that dies. A comparison may renew the marks at any time, and end once more an export that
 * has just ended.
 */
const isCounted = (operation: Operation) => {
  const points = pointsOf(operation);
  const isEngines = points.some((point) => point.startsWith('engine/'));
  return (point: Failpoint) =>
    points.includes(point) ||
    (point.startsWith('engine/') === isEngines && !/-(witness|unexport)$/.test(point));
};
const pointsOf = ({ points }: Operation): string[] =>
  [...new Set(points.map((at) => (typeof at === 'string' ? at : at[0])))]
    .filter((point) => !point.endsWith('-witness'))
    .sort();

/** Where the operation comes by when nobody dies. */
async function reachedBy(connect: Backend['connect'], operation: Operation): Promise<string[]> {
  const { cluster, nodes } = await start(connect);
  await using _cluster: TestCluster = cluster;
  const begin = await operation.prepare(cluster);
  const { reached } = cluster.node(operation.node).ambush;
  const before = new Map(reached);
  const { contents, done } = await begin();
  await done();
  await untilAgreement(cluster, { nodes, contents, heldMs: HELD_MS });
  return [...reached]
    .filter(([point, count]) => count > (before.get(point) ?? 0))
    .map(([point]) => point)
    .filter(isCounted(operation))
    .sort();
}

jest.setTimeout(30_000);

describe.each(BACKENDS)('a daemon that dies, on $name', ({ name, open }) => {
  let backend: Backend | undefined;
  const connect = () => (backend as Backend).connect();
  beforeAll(async () => {
    backend = await open();
  }, 60_000);
  beforeEach(async () => {
    const kv = connect();
    await wipe(kv);
    await kv.close();
  });
  afterAll(async () => {
    await backend?.[Symbol.asyncDispose]();
  });

  if (name === 'memory') {
    it.each(Object.entries(OPERATIONS))(
      'could die during %s where the table says',
      async (_what, operation) => {
        expect(await reachedBy(connect, operation)).toEqual(pointsOf(operation));
      },
    );
  }

  it.each(name === 'memory' ? CASES : SAMPLE)('goes on after $what', (crash) =>
    crashAndRecover(connect, crash),
  );
});

describe('agreement', () => {
  const OTHER = 'v00000000000000ff';
  const copyOf = (id: string) => ({ id, name: '00000000000000ab-0' });
  it.each<[string, (node: TestNode, id: string) => unknown]>([
    ['a file that is lost', ({ storage }, id) => storage.disk.subvolumes.get(id)?.files.clear()],
    ['a volume that is lost', ({ storage }, id) => storage.disk.subvolumes.delete(id)],
    ['a subvolume too many', ({ storage }) => storage.create({ id: OTHER, quotaBytes: 1 << 20 })],
    ['a copy too many', ({ storage }, id) => storage.freeze(copyOf(id))],
    ['another quota', ({ storage }, id) => storage.setQuota({ id, quotaBytes: 1 << 20 })],
    ['an export that is missing', ({ exporter }, id) => exporter.remove(id)],
    ['an export too many', ({ exporter }) => exporter.server.exports.set(OTHER, [])],
  ])('is not found where there is %s', async (_what, spoil) => {
    const store = createMemoryStore({ clock });
    const { cluster, nodes } = await start(store.connect);
    await using _cluster: TestCluster = cluster;
    const rule = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
    const { id } = await cluster.create('a', { exports: [rule] });
    const node = cluster.node('a');
    node.storage.disk.subvolumes.get(id)?.files.set('a.txt', 'first');
    const contents = new Map([[id, { 'a.txt': 'first' }]]);
    await node.stop('agent');
    expect(await disagreements(cluster, nodes, contents)).toEqual([]);
    await spoil(node, id);
    expect(await disagreements(cluster, nodes, contents)).not.toEqual([]);
    store.close();
  });
});

describe('the failpoints', () => {
  it('are all in the table', () => {
    const covered = new Set(CASES.map(({ point }) => point));
    expect(FAILPOINTS.filter((point) => !covered.has(point))).toEqual([]);
  });
});
