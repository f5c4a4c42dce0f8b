// Following a prefix for as long as the process lives: list, then watch, then
// resume after every loss without missing or repeating an event.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { backOff } from '../base/retry.ts';
import type { Header, Kv, ListResult, WatchBatch } from './kv.ts';

const BACKOFF_BASE_MS = 50;
const BACKOFF_CAP_MS = 1000;

/**
 * Why there is a snapshot. `first`: the follower has just started. `compacted`:
 * it was away so long that events are gone, or `afterLoss` says to list; what it
 * missed shows only as a difference. `replaced`: another cluster answers, or one
 * that went back in time; nothing known from the old one may be trusted.
 */
export type SnapshotReason = 'first' | 'compacted' | 'replaced';

export interface Snapshot extends ListResult {
  readonly reason: SnapshotReason;
}

export interface FollowOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly prefix: string;
  /** As in WatchOptions. Default: false. */
  readonly previous?: boolean;
  /**
   * Whether to go on after a loss from where the watch was, or from a snapshot. A store that was restored from a
   * backup meanwhile, and has come by as many revisions again, can't be told from one that simply went on: whoever
   * decides from the whole should `list`. Default: `resume`.
   */
  readonly afterLoss?: 'resume' | 'list';
  /** Ends the following; it is the only thing that does in normal operation. */
  readonly signal: AbortSignal;
  readonly log?: Log | undefined;
  /** Everything under the prefix, replacing whatever was known. */
  readonly onSnapshot: (snapshot: Snapshot) => void | Promise<void>;
  /**
   * Whole revisions, each exactly once and in order. A batch without events
   * is a bookmark; one comes whenever the watch has (again) been established.
   */
  readonly onBatch: (batch: WatchBatch) => void | Promise<void>;
  /** Called once a loss, with its cause; the next snapshot or batch ends it. */
  readonly onDisconnect?: (cause: RigError) => void;
}

interface FollowState {
  /** The last revision that the handlers have seen, and of which cluster. */
  position: { readonly clusterId: string; readonly revision: number } | undefined;
  /** Why the next step must be a snapshot; undefined when the watch can go on from `position`. */
  snapshotDue: SnapshotReason | undefined;
  connected: boolean;
  /** Failures since the watch was last established. A list alone does not count: it may work for ever in vain. */
  failures: number;
}

/**
 * Follows a prefix until the signal fires, and then resolves. Failures of the
 * store are retried for ever (50 ms doubling to 1 s, with jitter). Handlers are
 * awaited one after the other; one that throws ends the following with its
 * error. Rejects with `aborted` if the client itself was closed, and with
 * `unsupported` if the store refuses who it is.
 */
export async function followPrefix(options: FollowOptions): Promise<void> {
  const { clock, random, signal, prefix, log } = options;
  const state: FollowState = { position: undefined, snapshotDue: 'first', connected: true, failures: 0 };
  while (!signal.aborted) {
    const failure =
      state.snapshotDue === undefined
        ? await takeBatches(options, state)
        : await takeSnapshot(options, state, state.snapshotDue);
    if (failure === undefined || signal.aborted) continue;
    if (failure.code === 'aborted' || failure.code === 'unsupported') throw failure;
    if (failure.code === 'compacted') {
      log?.warn('kv.follow.compacted', { prefix, position: state.position, cause: failure });
      state.snapshotDue = 'compacted';
    } else {
      if (options.afterLoss === 'list') state.snapshotDue ??= 'compacted';
      if (state.connected) {
        state.connected = false;
        log?.warn('kv.follow.disconnected', { prefix, cause: failure });
        options.onDisconnect?.(failure);
      }
    }
    const attempt = state.failures;
    state.failures += 1;
    await backOff({ clock, random, signal, attempt, baseMs: BACKOFF_BASE_MS, capMs: BACKOFF_CAP_MS });
  }
}

/** Lists once. Answers with the store's failure, if any; a handler's error is thrown. */
async function takeSnapshot(
  options: FollowOptions,
  state: FollowState,
  due: SnapshotReason,
): Promise<RigError | undefined> {
  const listed = await settle(options.kv.list(options.prefix));
  if (listed instanceof RigError) return listed;
  if (options.signal.aborted) return undefined;
  const known = state.position;
  const replaced =
    known !== undefined && (listed.clusterId !== known.clusterId || listed.revision < known.revision);
  const reason = replaced ? 'replaced' : due;
  if (replaced)
    options.log?.warn('kv.follow.replaced', { prefix: options.prefix, known, now: positionOf(listed) });
  await options.onSnapshot({ ...listed, reason });
  progress(options, state, listed);
  state.snapshotDue = undefined;
  return undefined;
}

/** Watches until the stream ends, and answers with why it did; undefined when only a snapshot is due. */
async function takeBatches(options: FollowOptions, state: FollowState): Promise<RigError | undefined> {
  const { kv, prefix, previous = false, signal } = options;
  const fromRevision = (state.position?.revision ?? 0) + 1;
  const batches = kv.watch({ prefix, fromRevision, previous, signal })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await settle(batches.next());
      if (next instanceof RigError) return next;
      if (next.done) return new RigError('unavailable', `the watch of ${prefix} ended without a reason`);
      if (signal.aborted) return undefined;
      if (next.value.clusterId !== state.position?.clusterId) {
        state.snapshotDue = 'replaced';
        return undefined;
      }
      await options.onBatch(next.value);
      progress(options, state, next.value);
      state.failures = 0;
    }
  } finally {
    await batches.return?.();
  }
}

function progress(options: FollowOptions, state: FollowState, header: Header): void {
  state.position = positionOf(header);
  if (state.connected) return;
  state.connected = true;
  options.log?.info('kv.follow.reconnected', { prefix: options.prefix, ...state.position });
}

function positionOf({ clusterId, revision }: Header): Header {
  return { clusterId, revision };
}

/** The store's failures as values, so that a handler's error cannot be mistaken for one. */
function settle<T>(promise: Promise<T>): Promise<T | RigError> {
  return promise.catch((error: unknown) => RigError.from(error, { code: 'unavailable' }));
}
