// A term of office on a store in memory: what must hold while others write,
// while news is late, and while answers are lost.

import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { RigError } from '../../../../src/base/errors.ts';
import { createLog, type LogLine } from '../../../../src/base/log.ts';
import { createSystemRandom } from '../../../../src/base/random.ts';
import { waitFor } from '../../../../src/base/retry.ts';
import { CLUSTER_VERSION } from '../../../../src/daemon/cluster.ts';
import { lead } from '../../../../src/daemon/engine/lead.ts';
import { campaign } from '../../../../src/kv/election.ts';
import { CLUSTER_KEY, nodeKey, specKey, VERSION_KEY, volumeKey } from '../../../../src/kv/keys.ts';
import type { Kv, Transaction, WatchBatch } from '../../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../../src/kv/memory.ts';
import { openSession } from '../../../../src/kv/session.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { pausable } from '../../../support/pausable-kv.ts';
import { nodeOf, volumeOf } from '../../model/volumes.ts';
import { specOf } from './support.ts';

const clock = createSystemClock();
const random = createSystemRandom();
const FIRST = 'v0000000000000001';
const SECOND = 'v0000000000000002';

const eventually = <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> =>
  waitFor({ clock, what, timeoutMs: 4000, intervalMs: 1, probe });
const changesVolumes = ({ writes }: Transaction): boolean =>
  writes.some(({ key }) => key.includes('/volumes/'));

interface Term extends AsyncDisposable {
  readonly kv: Kv;
  readonly log: readonly LogLine[];
  /** What ended the term, when it has ended. */
  readonly over: Promise<string | undefined>;
}

/** A store with node a, 1 GiB, that somebody has joined. */
async function setUp() {
  const kv = createMemoryStore({ clock, random }).connect();
  const put = async (key: string, value: unknown): Promise<void> => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    await kv.transact({ compare: [], writes: [{ kind: 'put', key, value: text }] });
  };
  await put(nodeKey('a'), nodeOf('a', { capacity: 1 }));
  await put(VERSION_KEY, CLUSTER_VERSION);
  await put(CLUSTER_KEY, { uid: '0'.repeat(32) });
  const read = async (id: string): Promise<Volume | undefined> => {
    const found = (await kv.get(volumeKey(id))).kv;
    return found === undefined ? undefined : (JSON.parse(found.value) as Volume);
  };
  const order = (id: string, fields: Partial<Volume> = {}) => put(volumeKey(id), volumeOf({ id, ...fields }));
  const assigned = (id: string): Promise<string> =>
    eventually(`${id} to have a node`, async () => (await read(id))?.node ?? undefined);
  return { kv, put, read, order, assigned };
}

/** Leads through `link` until it is disposed of. */
async function startTerm(kv: Kv, link: Kv): Promise<Term> {
  const lines: LogLine[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
  const log = createLog({ write, nowMs: clock.nowMs, level: 'debug', fields: {} });
  const stop = new AbortController();
  const session = await openSession({ kv, clock, ttlSeconds: 10 });
  const candidate = { node: 'a', instance: 'i' };
  const leadership = await campaign({ kv, clock, random, session, candidate, signal: stop.signal });
  const over = lead({
    kv: link,
    clock,
    random,
    log,
    node: 'a',
    leadership,
    maxMoves: 2,
    rebalancePercent: 20,
  });
  return {
    kv,
    log: lines,
    over,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await over;
      await session.close();
      await kv.close();
    },
  };
}

it('does not overwrite what was written to a volume since it planned', async () => {
  const { kv, put, read, order, assigned } = await setUp();
  const link = pausable(kv);
  link.pause(changesVolumes);
  await order(FIRST);
  await using _term = await startTerm(kv, link);
  await eventually('a held write', async () => (link.held > 0 ? true : undefined));
  await put(volumeKey(FIRST), volumeOf({ id: FIRST, meta: { written: 'meanwhile' } }));
  link.resume();
  await assigned(FIRST);
  expect(await read(FIRST)).toMatchObject({ node: 'a', meta: { written: 'meanwhile' } });
});

it('gives no room away that was taken away since it planned', async () => {
  const { kv, put, read, order } = await setUp();
  await put(specKey('a'), specOf({ capacity: 1 }));
  const link = pausable(kv);
  link.pause(changesVolumes);
  await order(FIRST);
  await using _term = await startTerm(kv, link);
  await eventually('a held write', async () => (link.held > 0 ? true : undefined));
  await put(specKey('a'), specOf({ capacity: 0.5 }));
  link.resume();
  const told = await eventually('the refusal', async () => {
    const volume = await read(FIRST);
    return volume?.control.error === null ? undefined : volume;
  });
  expect(told).toMatchObject({ node: null, control: { error: expect.stringContaining('1 GiB free') } });
});

it('ends its term when another store takes the place of its own, whose revisions say nothing', async () => {
  const { kv, order, assigned } = await setUp();
  let isReplaced = false;
  const watch = async function* (batches: AsyncIterable<WatchBatch>): AsyncGenerator<WatchBatch> {
    for await (const batch of batches) yield isReplaced ? { ...batch, clusterId: 'another' } : batch;
  };
  const link: Kv = {
    ...kv,
    watch: (options) => watch(kv.watch(options)),
    list: async (...options) => {
      const listed = await kv.list(...options);
      return isReplaced ? { ...listed, clusterId: 'another', revision: 1 } : listed;
    },
  };
  await order(FIRST);
  await using term = await startTerm(kv, link);
  await assigned(FIRST);
  isReplaced = true;
  await order(SECOND);
  let reason: string | undefined;
  void term.over.then((why) => {
    reason = why;
  });
  expect(await eventually('the end of the term', async () => reason)).toBe('the store was replaced');
});

it('gives no room away twice when the news of its own writes is late', async () => {
  const { kv, put, order, assigned } = await setUp();
  let seenRevision = 0;
  let isLate = false;
  let catchUp = (): void => {};
  const caughtUp = new Promise<void>((resolve) => {
    catchUp = resolve;
  });
  const lateNews = async function* (batches: AsyncIterable<WatchBatch>): AsyncGenerator<WatchBatch> {
    for await (const batch of batches) {
      if (isLate) await caughtUp;
      seenRevision = batch.revision;
      yield batch;
    }
  };
  const link = pausable({ ...kv, watch: (options) => lateNews(kv.watch(options)) });
  link.pause(changesVolumes);
  await order(FIRST);
  await using _term = await startTerm(kv, link);
  await eventually('the first to be on its way to a', async () => (link.held > 0 ? true : undefined));
  // Planned now, the first would go to b, and the second take its place on a.
  await put(nodeKey('b'), nodeOf('b', { capacity: 1.5 }));
  await order(SECOND);
  const { revision } = await kv.get(VERSION_KEY);
  await eventually('the engine to have seen both', async () => (seenRevision >= revision ? true : undefined));
  isLate = true;
  link.resume();
  expect(await assigned(FIRST)).toBe('a');
  catchUp();
  expect(await assigned(SECOND)).toBe('b');
});

it('ends its term when the outcome of a write is unknown', async () => {
  const { kv, order, read } = await setUp();
  const link: Kv = {
    ...kv,
    transact: async () => {
      throw new RigError('timeout', 'no answer', { definite: false });
    },
  };
  await order(FIRST);
  await using term = await startTerm(kv, link);
  let reason: string | undefined;
  void term.over.then((why) => {
    reason = why;
  });
  expect(await eventually('the end of the term', async () => reason)).toBe(
    'the outcome of a write is unknown',
  );
  expect((await read(FIRST))?.node).toBeNull();
});

it.each([
  ['was wiped', undefined],
  ['is of another version', '2'],
])('decides nothing in a cluster that %s, and says so once', async (_what, version) => {
  const { kv, put, read, order, assigned } = await setUp();
  const wipe = [VERSION_KEY, CLUSTER_KEY].map((key) => ({ kind: 'delete' as const, key }));
  await kv.transact({ compare: [], writes: wipe });
  if (version !== undefined) await put(VERSION_KEY, version);
  await order(FIRST);
  await using term = await startTerm(kv, kv);
  const refusals = () => term.log.filter(({ event }) => event === 'engine.not-admitted');
  await eventually('the refusal', async () => refusals()[0]);
  expect((await read(FIRST))?.node).toBeNull();
  await put(VERSION_KEY, CLUSTER_VERSION);
  await put(CLUSTER_KEY, { uid: '0'.repeat(32) });
  expect(await assigned(FIRST)).toBe('a');
  expect(refusals()).toHaveLength(1);
});

it.each([-1, 1])('waits a second before a retry although the agent is %s h off', async (hours) => {
  const { kv, put, read } = await setUp();
  const updated = new Date(clock.nowMs() + hours * 3_600_000).toISOString();
  const broken = volumeOf({ id: FIRST, node: 'a', state: 'error' }, { error: 'io', error_count: 1, updated });
  await using _term = await startTerm(kv, kv);
  const failedMs = clock.monotonicMs();
  await put(volumeKey(FIRST), broken);
  await eventually('the retry', async () => ((await read(FIRST))?.state === 'scheduling' ? true : undefined));
  expect(clock.monotonicMs() - failedMs).toBeGreaterThanOrEqual(999);
});
