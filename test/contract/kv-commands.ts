// Random operations on two stores at once, as fast-check's commands: each is
// executed on both, and must come out the same on both but for what may differ
// (where revisions start, lease ids, cluster ids).

import { expect } from '@jest/globals';
import fc from 'fast-check';
import { hasCode } from '../../src/base/errors.ts';
import type { Compare, Kv, WatchBatch, WatchEvent, Write } from '../../src/kv/kv.ts';
import { freshPrefix, put } from './kv-backends.ts';

const KEYS = ['a', 'a/b', 'b', 'c'];
/** Sorts behind every other key; a watch that has seen it has seen all before it. */
const MARKER = 'zz-marker';
const LEASES = 2;
const WATCHES = 2;
/** None of them runs out while a program runs. */
const LASTING_SECONDS = 600;

/** One of the two stores, and where a program is in it. */
export interface Side {
  readonly kv: Kv;
  readonly compact: (revision: number) => Promise<void>;
  readonly prefix: string;
  /** The revision of the store when the program began. */
  readonly base: number;
  /** By slot; behind the slots, those that were in them before. */
  readonly leases: string[];
  readonly watches: (AsyncIterator<WatchBatch> | undefined)[];
  readonly stop: AbortController;
  compactions: number;
}

export type KvCommand = fc.AsyncCommand<Side, Side>;

export async function openSide(store: Pick<Side, 'kv' | 'compact'>): Promise<Side> {
  const prefix = freshPrefix();
  // A commit of its own: no compaction of an earlier program reaches it.
  const revision = await put(store.kv, `${prefix}${MARKER}`, 'begin');
  const side: Side = {
    ...store,
    prefix,
    base: revision,
    leases: [],
    watches: [],
    stop: new AbortController(),
    compactions: 0,
  };
  for (let slot = 0; slot < LEASES; slot += 1)
    side.leases[slot] = (await store.kv.grantLease(LASTING_SECONDS)).id;
  return side;
}

/** Ends its watches, and revokes its leases. */
export async function closeSide({ kv, leases, watches, stop }: Side): Promise<void> {
  stop.abort();
  for (const watch of watches) await watch?.next().catch(() => undefined);
  await Promise.all(leases.map((lease) => kv.revokeLease(lease).catch(() => undefined)));
}

type Execute = (side: Side) => Promise<unknown>;

function command(name: string, execute: Execute): KvCommand {
  return {
    check: () => true,
    toString: () => name,
    run: async (model, real) => {
      const [expected, actual] = [await outcome(model, execute), await outcome(real, execute)];
      // A compaction may or may not have overtaken what was replaced; only then it may be missing on one side.
      const strict = model.compactions === 0;
      expect(strict ? actual : withoutPrevious(actual)).toEqual(
        strict ? expected : withoutPrevious(expected),
      );
    },
  };
}

async function outcome(side: Side, execute: Execute): Promise<unknown> {
  try {
    return normalise((await execute(side)) ?? 'done', side);
  } catch (error) {
    if (!hasCode(error, 'invalid', 'not_found', 'compacted')) throw error;
    return { refused: error.code, definite: error.definite };
  }
}

/** Takes out what the two stores may differ in. */
function normalise(result: unknown, side: Side): unknown {
  const replace = (name: string, value: unknown): unknown => {
    if (name === 'clusterId') return undefined;
    if (/revision$/i.test(name) && typeof value === 'number' && value > 0) return value - side.base;
    if (name === 'lease') return value === '0' ? 'none' : side.leases.indexOf(String(value));
    if (name === 'key') return String(value).slice(side.prefix.length);
    return value;
  };
  return JSON.parse(JSON.stringify(result, replace));
}

const withoutPrevious = (result: unknown): unknown =>
  JSON.parse(JSON.stringify(result, (name, value) => (name === 'previous' ? undefined : value)));

const key = fc.constantFrom(...KEYS);
const lease = fc.nat({ max: LEASES - 1 });
const watch = fc.nat({ max: WATCHES - 1 });
/** How far from the store's present revision; never before the program's beginning. */
const distance = fc.integer({ min: -10, max: 2 });

const revisionAt = async ({ kv, prefix, base }: Side, far: number): Promise<number> =>
  Math.max(base, (await kv.get(prefix)).revision + far);

const write = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), key, lease: fc.option(lease) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
);
type SomeWrite = typeof write extends fc.Arbitrary<infer T> ? T : never;

/** Small numbers, so that compares often hold. */
const compare = fc.record({
  key,
  target: fc.constantFrom('mod' as const, 'create' as const, 'version' as const),
  equals: fc.nat({ max: 6 }),
});

function toWrite({ prefix, leases }: Side, some: SomeWrite): Write {
  const named = `${prefix}${some.key}`;
  if (some.kind === 'delete') return { kind: 'delete', key: named };
  const held = some.lease === null ? {} : { lease: leases[some.lease] as string };
  return { kind: 'put', key: named, value: `value of ${some.key}`, ...held };
}

const toCompare = ({ prefix, base }: Side, { key, target, equals }: Compare): Compare => ({
  key: `${prefix}${key}`,
  target,
  equals: target === 'version' || equals === 0 ? equals : base + equals,
});

const transact = fc
  .record({ compare: fc.array(compare, { maxLength: 2 }), writes: fc.array(write, { maxLength: 3 }) })
  .map((transaction) =>
    command(`transact ${JSON.stringify(transaction)}`, (side) =>
      side.kv.transact({
        compare: transaction.compare.map((each) => toCompare(side, each)),
        writes: transaction.writes.map((each) => toWrite(side, each)),
      }),
    ),
  );

const get = key.map((name) => command(`get ${name}`, ({ kv, prefix }) => kv.get(`${prefix}${name}`)));

const list = fc
  .record({
    under: fc.constantFrom('', ...KEYS),
    after: fc.option(key, { nil: undefined }),
    limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
    far: fc.option(distance, { nil: undefined }),
  })
  .map(({ under, after, limit, far }) =>
    command(`list ${JSON.stringify({ under, after, limit, far })}`, async (side) =>
      side.kv.list(`${side.prefix}${under}`, {
        ...(after !== undefined && { after: `${side.prefix}${after}` }),
        ...(limit !== undefined && { limit }),
        ...(far !== undefined && { revision: await revisionAt(side, far) }),
      }),
    ),
  );

const grant = fc
  .tuple(lease, fc.integer({ min: LASTING_SECONDS, max: LASTING_SECONDS + 2 }))
  .map(([slot, ttl]) =>
    command(`grant ${slot} ${ttl} s`, async ({ kv, leases }) => {
      const granted = await kv.grantLease(ttl);
      // It goes on living, with its keys, when its slot is taken over.
      leases.push(leases[slot] as string);
      leases[slot] = granted.id;
      return granted.ttlSeconds;
    }),
  );

const onLease = (name: string, execute: (kv: Kv, id: string) => Promise<unknown>) =>
  lease.map((slot) => command(`${name} ${slot}`, ({ kv, leases }) => execute(kv, leases[slot] as string)));

const compact = distance.map((far) =>
  command(`compact at ${far}`, async (side) => {
    side.compactions += 1;
    await side.compact(await revisionAt(side, far));
  }),
);

/** Everything that a watch delivers up to the marker, which is written first. */
async function readToMarker(side: Side, batches: AsyncIterator<WatchBatch>): Promise<readonly WatchEvent[]> {
  const revision = await put(side.kv, `${side.prefix}${MARKER}`, 'marker');
  const events: WatchEvent[] = [];
  for (;;) {
    const { value } = await batches.next();
    const batch = value as WatchBatch;
    events.push(...batch.events);
    if (batch.revision >= revision) return events;
  }
}

const openWatch = fc.tuple(watch, distance, fc.boolean()).map(([slot, far, previous]) =>
  command(`watch ${slot} from ${far}${previous ? ' with what was before' : ''}`, async (side) => {
    const { kv, prefix, stop, watches } = side;
    const options = { prefix, fromRevision: await revisionAt(side, far), previous, signal: stop.signal };
    const batches = kv.watch(options)[Symbol.asyncIterator]();
    const bookmark = (await batches.next()).value;
    const events = await readToMarker(side, batches);
    await watches[slot]?.return?.();
    watches[slot] = batches;
    return { bookmark, events };
  }),
);

const readWatch = watch.map((slot) =>
  command(`read watch ${slot}`, async (side) => {
    const batches = side.watches[slot];
    return batches === undefined ? 'none is open' : readToMarker(side, batches);
  }),
);

export const kvCommands: fc.Arbitrary<KvCommand>[] = [
  transact,
  transact,
  transact,
  get,
  list,
  grant,
  onLease('renew', (kv, id) => kv.keepLeaseAlive(id)),
  onLease('look up', async (kv, id) => (await kv.listLeases()).includes(id)),
  onLease('revoke', (kv, id) => kv.revokeLease(id)),
  compact,
  openWatch,
  readWatch,
];
