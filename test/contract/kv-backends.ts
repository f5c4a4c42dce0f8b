// The stores that must pass the kv contract: the real one, and the model of it.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { createSystemRandom } from '../../src/base/random.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import type { Kv, WatchBatch, WatchEvent } from '../../src/kv/kv.ts';
import { createMemoryStore } from '../../src/kv/memory.ts';
import { answers, startEtcd } from '../support/etcd.ts';

export const clock = createSystemClock();
export const random = createSystemRandom();

export interface Backend extends AsyncDisposable {
  connect(): Kv;
  compact(revision: number): Promise<void>;
  /** The whole server dies, as by SIGKILL. */
  stop(): Promise<void>;
  /** It comes back with its data; resolves when a fresh client gets an answer. */
  start(): Promise<void>;
}

export interface BackendKind {
  readonly name: string;
  open(): Promise<Backend>;
}

const memory: BackendKind = {
  name: 'memory',
  open: async () => {
    const store = createMemoryStore({ clock, random });
    return {
      connect: store.connect,
      compact: async (revision) => store.compact(revision),
      stop: async () => store.setAvailable(false),
      start: async () => store.setAvailable(true),
      [Symbol.asyncDispose]: async () => store.close(),
    };
  },
};

const etcd: BackendKind = {
  name: 'etcd',
  open: async () => {
    const server = await startEtcd();
    return {
      connect: () => createEtcdKv({ endpoints: server.endpoints }),
      compact: server.compact,
      stop: server.kill,
      start: async () => {
        await server.start();
        await answers(server.endpoints);
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

export const BACKENDS: readonly BackendKind[] = [memory, etcd];

/** One server, and one client of it, that the tests of a `describe` share. */
export function shareBackend(
  open: BackendKind['open'],
  onOpen: (opened: { readonly backend: Backend; readonly kv: Kv }) => void,
): void {
  let backend: Backend | undefined;
  let kv: Kv | undefined;
  beforeAll(async () => {
    backend = await open();
    kv = backend.connect();
    onOpen({ backend, kv });
  }, 60_000);
  afterAll(async () => {
    await kv?.close();
    await backend?.[Symbol.asyncDispose]();
  }, 30_000);
}

/** What a caller waits at most: the deadline of 1.5 s, and as long again for a busy machine. */
export const CALL_MS = 3000;

export async function elapsedMs(work: Promise<unknown>): Promise<number> {
  const startedMs = clock.monotonicMs();
  await work;
  return clock.monotonicMs() - startedMs;
}

/** A prefix of a test's own, so that tests can share a server. */
export const freshPrefix = (): string => `/test/${randomUUID()}/`;

/** Puts unconditionally; answers with the revision. */
export async function put(kv: Kv, key: string, value: string, lease = '0'): Promise<number> {
  const { revision } = await kv.transact({ compare: [], writes: [{ kind: 'put', key, value, lease }] });
  return revision;
}

export async function remove(kv: Kv, key: string): Promise<number> {
  const { revision } = await kv.transact({ compare: [], writes: [{ kind: 'delete', key }] });
  return revision;
}

/** Every batch from `fromRevision` on, up to and including the one that holds `untilRevision`. */
export async function collectBatches(
  kv: Kv,
  range: { readonly prefix: string; readonly fromRevision: number; readonly untilRevision: number },
): Promise<readonly WatchBatch[]> {
  const batches: WatchBatch[] = [];
  const signal = AbortSignal.timeout(10_000);
  for await (const batch of kv.watch({ ...range, signal })) {
    batches.push(batch);
    if (batch.revision >= range.untilRevision) break;
  }
  return batches;
}

/**
 * Resolves once the store has confirmed the watch of what comes under a prefix from now on. `ended`
 * rejects with what ends it: nothing but a failure does.
 */
export async function establishWatch(kv: Kv, prefix: string): Promise<{ readonly ended: Promise<never> }> {
  const { revision } = await kv.get(prefix);
  const signal = AbortSignal.timeout(20_000);
  const batches = kv.watch({ prefix, fromRevision: revision + 1, signal })[Symbol.asyncIterator]();
  await batches.next();
  const untilBroken = async (): Promise<never> => {
    while (!(await batches.next()).done);
    throw new Error(`the watch of ${prefix} ended without a reason`);
  };
  return { ended: untilBroken() };
}

export const keyOf = (event: WatchEvent): string => (event.kind === 'put' ? event.kv.key : event.key);
