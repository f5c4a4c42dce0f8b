// The stores that must pass the kv contract: the real one, and the model of it.

import { randomUUID } from 'node:crypto';
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

export const revisionOf = (event: WatchEvent): number =>
  event.kind === 'put' ? event.kv.modRevision : event.modRevision;

export const keyOf = (event: WatchEvent): string => (event.kind === 'put' ? event.kv.key : event.key);
