// The same random programs run against memory and etcd, operation by operation;
// and leases that run out are seen to do so in the same way.

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RigError } from '../../src/base/errors.ts';
import { waitFor } from '../../src/base/retry.ts';
import type { Kv, WatchBatch, WatchEvent, WatchOptions } from '../../src/kv/kv.ts';
import { createMemoryStore, type MemoryStore } from '../../src/kv/memory.ts';
import {
  BACKENDS,
  type Backend,
  clock,
  collectBatches,
  freshPrefix,
  keyOf,
  put,
  random,
} from './kv-backends.ts';
import { closeSide, kvCommands, openSide, type Side } from './kv-commands.ts';

type Store = Pick<Side, 'kv' | 'compact'>;

const backends: Backend[] = [];
const stores: Store[] = [];

beforeAll(async () => {
  for (const { open } of BACKENDS) backends.push(await open());
  for (const backend of backends) stores.push({ kv: backend.connect(), compact: compactOf(backend) });
}, 60_000);
afterAll(async () => {
  await Promise.all(stores.map(({ kv }) => kv.close()));
  await Promise.all(backends.map((backend) => backend[Symbol.asyncDispose]()));
}, 30_000);

/** Which of etcd's reasons it was, its command line tool says in words only. */
const compactOf = (backend: Backend) => (revision: number) =>
  backend.compact(revision).catch((error: unknown) => {
    throw new RigError('invalid', 'not compacted', { cause: error });
  });

/** That two stores come out the same of every program. */
const agreement = (open: () => { readonly model: Store; readonly real: Store }) =>
  fc.asyncProperty(fc.commands(kvCommands, { size: 'max', maxCommands: 40 }), async (commands) => {
    const { model, real } = open();
    const sides = { model: await openSide(model), real: await openSide(real) };
    try {
      await fc.asyncModelRun(() => sides, commands);
    } finally {
      await Promise.all([closeSide(sides.model), closeSide(sides.real)]);
    }
  });

describe('random programs', () => {
  // On failure fast-check prints the seed, the path and the shrunk program.
  it('come out the same, operation by operation, in memory as in etcd', async () => {
    const [model, real] = stores as [Store, Store];
    await fc.assert(
      agreement(() => ({ model, real })),
      { numRuns: 30 },
    );
  }, 180_000);

  const opened: MemoryStore[] = [];
  // Their leases would keep the process alive.
  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
  });
  const memory = (sabotage: (kv: Kv) => Partial<Kv> = () => ({})): Store => {
    const store = createMemoryStore({ clock, random });
    opened.push(store);
    const kv = store.connect();
    return {
      kv: { ...kv, ...sabotage(kv) },
      compact: async (revision) => {
        try {
          store.compact(revision);
        } catch (error) {
          throw new RigError('invalid', 'not compacted', { cause: error });
        }
      },
    };
  };
  const inEvents =
    (change: (events: readonly WatchEvent[]) => readonly WatchEvent[]) =>
    (kv: Kv): Partial<Kv> => ({
      watch: async function* (options: WatchOptions): AsyncGenerator<WatchBatch> {
        for await (const batch of kv.watch(options)) yield { ...batch, events: change(batch.events) };
      },
    });

  it.each<[string, (kv: Kv) => Partial<Kv>]>([
    ['ignores its compares', (kv) => ({ transact: ({ writes }) => kv.transact({ compare: [], writes }) })],
    [
      'forgets leases',
      (kv) => ({ transact: (txn) => kv.transact({ ...txn, writes: txn.writes.map(unleased) }) }),
    ],
    ['pages wrongly', (kv) => ({ list: (prefix, { after: _, ...page } = {}) => kv.list(prefix, page) })],
    [
      'reads the present',
      (kv) => ({ list: (prefix, { revision: _, ...page } = {}) => kv.list(prefix, page) }),
    ],
    ['loses deletions', inEvents((events) => events.filter(({ kind }) => kind === 'put'))],
    ['repeats events', inEvents((events) => events.flatMap((event) => [event, event]))],
    [
      'keeps what was before to itself',
      inEvents((events) => events.map(({ previous: _, ...event }) => event)),
    ],
    [
      'starts late',
      (kv) => ({ watch: (options) => kv.watch({ ...options, fromRevision: options.fromRevision + 1 }) }),
    ],
  ])('tell a store that %s', async (_, sabotage) => {
    const wrong = await fc.check(
      agreement(() => ({ model: memory(), real: memory(sabotage) })),
      { numRuns: 200, seed: 1, endOnFailure: true },
    );
    expect(wrong.failed).toBe(true);
  });
});

function unleased(write: Parameters<Kv['transact']>[0]['writes'][number]) {
  return write.kind === 'put' ? { kind: write.kind, key: write.key, value: write.value } : write;
}

describe.each(BACKENDS)('leases that run out on $name', ({ name }) => {
  /** What is renewed how long, and which keys hang on it. */
  const lease = fc.record({
    ttlSeconds: fc.constantFrom(1, 2, 3),
    renewals: fc.nat({ max: 2 }),
    keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 3 }),
  });

  it('take the keys that still hang on them, all in one revision, and not before their time', async () => {
    const { kv } = stores[BACKENDS.findIndex((backend) => backend.name === name)] as Store;
    // Side by side, for each takes seconds.
    const program = fc.array(fc.array(lease, { minLength: 1, maxLength: 4 }), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(program, async (groups) => {
        await Promise.all(groups.map((group) => runOut(kv, group)));
      }),
      { numRuns: 2 },
    );
  }, 60_000);
});

interface SomeLease {
  readonly ttlSeconds: number;
  readonly renewals: number;
  readonly keys: readonly string[];
}

async function runOut(kv: Kv, group: readonly SomeLease[]): Promise<void> {
  const prefix = freshPrefix();
  const { revision } = await kv.get(prefix);
  const owners = new Map<string, number>();
  const leases = await Promise.all(group.map(({ ttlSeconds }) => kv.grantLease(ttlSeconds)));
  for (const [index, { keys }] of group.entries()) {
    for (const key of keys) {
      await put(kv, `${prefix}${key}`, 'v', leases[index]?.id);
      owners.set(`${prefix}${key}`, index);
    }
  }
  const earliestMs = await Promise.all(
    group.map(async ({ renewals }, index) => {
      let renewedMs = clock.monotonicMs();
      for (let count = 0; count < renewals; count += 1) {
        await clock.sleep(500);
        renewedMs = clock.monotonicMs();
        await kv.keepLeaseAlive(leases[index]?.id as string);
      }
      return renewedMs + Math.max(2, group[index]?.ttlSeconds as number) * 1000;
    }),
  );
  const goneMs = new Map<number, number>();
  await waitFor({
    clock,
    what: 'every lease to run out',
    timeoutMs: 10_000,
    probe: async () => {
      const alive = await kv.listLeases();
      for (const [index, { id }] of leases.entries())
        if (!alive.includes(id) && !goneMs.has(index)) goneMs.set(index, clock.monotonicMs());
      return goneMs.size === leases.length || undefined;
    },
  });
  // Granted and renewed a moment before our clock was read; etcd counts in whole milliseconds.
  for (const [index, ms] of goneMs) {
    const granted = group[index]?.renewals === 0 ? 1000 : 5;
    expect(ms).toBeGreaterThanOrEqual((earliestMs[index] as number) - granted);
  }
  expect((await kv.list(prefix)).kvs).toEqual([]);
  const untilRevision = await put(kv, `${prefix}end`, 'end');
  const batches = await collectBatches(kv, { prefix, fromRevision: revision + 1, untilRevision });
  const deletions = batches.flatMap(({ events }) => events).filter(({ kind }) => kind === 'delete');
  const revisions = new Map<number, Set<number>>();
  for (const event of deletions) {
    const owner = owners.get(keyOf(event)) as number;
    const at = event.kind === 'delete' ? event.modRevision : 0;
    revisions.set(owner, (revisions.get(owner) ?? new Set()).add(at));
  }
  expect(deletions.map(keyOf).sort()).toEqual([...owners.keys()].sort());
  for (const ofOne of revisions.values()) expect(ofOne.size).toBe(1);
}
