// One watch, one gRPC stream: a stream's failure then is that watch's, and
// nothing has to be told apart or re-established behind the caller's back.

import type { IDuplexStream, IEvent, IKeyValue, IWatchRequest, IWatchResponse } from 'etcd3';
import { abortError } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { Cluster } from './etcd-cluster.ts';
import { fromGrpc, isTokenRefused } from './etcd-errors.ts';
import { toKeyValue, toPrefixRange } from './etcd-messages.ts';
import { revisionOf, type WatchBatch, type WatchEvent, type WatchOptions } from './kv.ts';

export interface EtcdWatchOptions extends WatchOptions {
  readonly cluster: Cluster;
  /** How long etcd may take to confirm that the watch is established. */
  readonly requestTimeoutMs: number;
  /** Fires when the client is closed. */
  readonly closing: AbortSignal;
  /** The store's revision by a linearizable read. */
  readonly currentRevision: () => Promise<number>;
}

type WatchStream = IDuplexStream<IWatchRequest, IWatchResponse> & AsyncIterable<IWatchResponse>;

/** See Kv.watch. Fragments are not asked for, so every response holds whole revisions. */
export async function* watchEtcd(options: EtcdWatchOptions): AsyncGenerator<WatchBatch> {
  yield* watchOnce(options, true);
  // It came to nothing because the token had expired.
  yield* watchOnce(options, false);
}

/** Returns, without having yielded, only when etcd refused the token and another can be had; throws otherwise. */
async function* watchOnce(options: EtcdWatchOptions, mayRenewToken: boolean): AsyncGenerator<WatchBatch> {
  const { cluster, prefix, signal, closing, requestTimeoutMs } = options;
  const fromRevision = Math.max(1, options.fromRevision);
  const what = `watching ${prefix} from revision ${fromRevision}`;
  if (signal.aborted) throw abortError(signal);
  const startRevision = await safeStart({ ...options, fromRevision });
  const endpoint = await cluster.connected('Watch');
  const stream = (await endpoint.watch.watch()) as WatchStream;
  let late = false;
  const cancel = (): void => stream.cancel();
  const unconfirmed = setTimeout(() => {
    late = true;
    cancel();
  }, requestTimeoutMs);
  // The iterator below reports errors; this keeps one that comes after it from being uncaught.
  stream.on('error', () => {});
  endpoint.streams.add(cancel);
  for (const source of [signal, closing]) source.addEventListener('abort', cancel);
  if (signal.aborted || closing.aborted) cancel();
  try {
    stream.write({ create_request: createRequest(options, startRevision) });
    let nextRevision = fromRevision;
    for await (const response of stream) {
      if (signal.aborted) break;
      if (response.canceled) {
        const failure = cancelled(response, what);
        if (mayRenewToken && isAboutToken(failure) && endpoint.forgetToken()) return;
        throw failure;
      }
      if (response.created) {
        clearTimeout(unconfirmed);
        yield { clusterId: response.header.cluster_id, revision: fromRevision - 1, events: [] };
        continue;
      }
      const batch = toBatch(response, nextRevision);
      if (batch === undefined) continue;
      nextRevision = batch.revision + 1;
      yield batch;
    }
    throw new RigError('unavailable', `${what}: etcd ended the stream`);
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    if (closing.aborted) throw new RigError('aborted', 'the etcd client was closed');
    const failure = late
      ? new RigError('timeout', `${what}: not confirmed within ${requestTimeoutMs} ms`, { cause: error })
      : fromGrpc(error, { what: `${what} at ${endpoint.address}`, write: false });
    if (hasCode(failure, 'unavailable', 'timeout')) cluster.suspect(endpoint);
    throw failure;
  } finally {
    clearTimeout(unconfirmed);
    endpoint.streams.delete(cancel);
    for (const source of [signal, closing]) source.removeEventListener('abort', cancel);
    cancel();
  }
}

/**
 * The revision to have etcd start from, by a linearizable look at where the
 * store is. Two things are made sure of that etcd itself does not:
 *
 * - a revision that the store has yet to reach by more than one is refused. Data
 *   was lost, or this is another store under the old name (a wiped member has
 *   the same cluster id); etcd would wait in silence;
 * - when there is history to catch up with, the watch starts one revision
 *   early. Many releases (3.5.16 is one) lose a deletion for a watch that starts
 *   at exactly the compacted revision (etcd-io/etcd#19179); from one earlier it
 *   is refused as compacted instead. It isn't done always, for etcd looks after
 *   watches that are behind only every 100 ms.
 */
async function safeStart(options: EtcdWatchOptions): Promise<number> {
  const { prefix, fromRevision } = options;
  const revision = await options.currentRevision();
  if (fromRevision > revision + 1) {
    throw new RigError(
      'compacted',
      `watching ${prefix}: revision ${fromRevision} is ahead of the store's ${revision}`,
    );
  }
  return fromRevision > revision ? fromRevision : Math.max(1, fromRevision - 1);
}

function createRequest({ prefix, previous = false }: WatchOptions, startRevision: number) {
  return {
    ...toPrefixRange(prefix),
    start_revision: String(startRevision),
    progress_notify: true,
    fragment: false,
    prev_kv: previous,
  };
}

function cancelled(response: IWatchResponse, what: string): RigError {
  const compactRevision = Number(response.compact_revision);
  if (compactRevision > 0) return new RigError('compacted', `${what}: compacted at ${compactRevision}`);
  return fromGrpc(new Error(`cancelled by etcd: ${response.cancel_reason}`), { what, write: false });
}

/** Some releases say of an expired token only that permission is denied. */
function isAboutToken(failure: RigError): boolean {
  return isTokenRefused(failure.cause) || failure.code === 'unsupported';
}

/** Undefined when there is nothing new in it. */
function toBatch({ header, events }: IWatchResponse, nextRevision: number): WatchBatch | undefined {
  const clusterId = header.cluster_id;
  const fresh = events.map(toEvent).filter((event) => revisionOf(event) >= nextRevision);
  const last = fresh.at(-1);
  // While catching up, the header is ahead of the events: only what was delivered counts.
  if (last !== undefined) return { clusterId, revision: revisionOf(last), events: fresh };
  const revision = Number(header.revision);
  if (events.length > 0 || revision < nextRevision) return undefined;
  return { clusterId, revision, events: [] };
}

function toEvent({ type, kv, prev_kv }: IEvent): WatchEvent {
  // The decoder says null for a message that is not there, whatever its type says.
  const before = (prev_kv as IKeyValue | null) === null ? {} : { previous: toKeyValue(prev_kv) };
  if (type === 'Put') return { kind: 'put', kv: toKeyValue(kv), ...before };
  return { kind: 'delete', key: kv.key.toString(), modRevision: Number(kv.mod_revision), ...before };
}
