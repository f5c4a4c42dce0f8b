// Watches etcd from revision 1 and records every event that it ever committed,
// through outages and restarts, each exactly once.

import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { ROOT } from '../kv/keys.ts';
import type { Kv, WatchEvent } from '../kv/kv.ts';
import type { Journal } from './journal.ts';
import { createMergedWatches } from './merged-watches.ts';

/**
 * How long to wait before asking again where a member is. It doubles while there is no answer, for who
 * is asked is Docker; and stays so short that what a member tells when it is back is hardly late.
 */
const RECONNECT_MS = 50;
const LONGEST_RECONNECT_MS = 200;

export interface RecordedKey {
  readonly value: string;
  /** When the rig saw it written, in milliseconds since the run began. */
  readonly atMs: number;
}

export interface Recorder extends AsyncDisposable {
  /** Every key that there is, as the recorder last saw it: while etcd is away, as it was before. */
  keys(): ReadonlyMap<string, RecordedKey>;
  /** True from the first answer of a member of etcd until every stream has broken. */
  connected(): boolean;
  /** The newest of which everything was seen. */
  revision(): number;
  /** False once history was lost: compacted away, or the cluster was replaced. */
  complete(): boolean;
  /** Waits until all that was committed up to the revision has been seen. */
  caughtUp(revision: number, timeoutMs: number): Promise<void>;
}

/**
 * Watches at every member by itself, for one that is frozen or cut off tells of
 * nothing until it is given up; an event has the time of whoever told of it first.
 * `connect` makes a client for where that member is right now; it may throw while
 * the member is down. `members` default to one, of whatever name.
 */
export function startRecorder(options: {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly members?: readonly string[];
  readonly connect: (member: string) => Promise<Kv>;
}): Recorder {
  const { clock, journal, members = ['etcd'] } = options;
  const stop = new AbortController();
  const mirror = new Map<string, RecordedKey>();
  const watches = createMergedWatches(members);
  const connected = new Set<string>();
  let failure: RigError | undefined;
  let complete = true;
  let clusterId: string | undefined;

  const record = (event: WatchEvent): void => {
    if (event.kind === 'put') {
      const { key, value, modRevision, createRevision, lease } = event.kv;
      mirror.set(key, { value, atMs: journal.atMs() });
      journal.recordEtcd({ revision: modRevision, kind: 'put', key, value, createRevision, lease });
    } else {
      mirror.delete(event.key);
      journal.recordEtcd({ revision: event.modRevision, kind: 'delete', key: event.key });
    }
  };

  const drain = async (kv: Kv, member: string): Promise<void> => {
    const fromRevision = watches.position(member) + 1;
    for await (const batch of kv.watch({ prefix: ROOT, fromRevision, signal: stop.signal })) {
      connected.add(member);
      if (clusterId !== undefined && clusterId !== batch.clusterId) complete = false;
      clusterId = batch.clusterId;
      const { fresh, disagreement } = watches.take(member, batch);
      if (disagreement !== undefined) journal.record({ type: 'disagreement', ...disagreement });
      for (const event of fresh) record(event);
    }
  };

  /** Answers whether there is more to see. */
  const mayGoOn = (member: string, error: unknown): boolean => {
    if (hasCode(error, 'unavailable', 'timeout', 'aborted', 'not_found')) return true;
    if (!hasCode(error, 'compacted')) return false;
    // What this one can't tell any more, another has told, or may still.
    const missed = watches.position(member) < watches.seen();
    watches.skip(member);
    return missed || connected.size > 0;
  };

  const follow = async (member: string): Promise<void> => {
    let waitMs = RECONNECT_MS;
    while (!stop.signal.aborted) {
      try {
        const kv = await options.connect(member);
        try {
          await drain(kv, member);
        } finally {
          if (connected.delete(member)) waitMs = RECONNECT_MS;
          await kv.close();
        }
      } catch (error) {
        if (!mayGoOn(member, error)) {
          // Nothing more can be seen, or nothing more can be recorded.
          complete = false;
          failure ??= RigError.from(error);
          stop.abort();
          return;
        }
      }
      if (!stop.signal.aborted) await clock.sleep(waitMs, stop.signal).catch(() => undefined);
      waitMs = Math.min(2 * waitMs, LONGEST_RECONNECT_MS);
    }
  };
  const running = Promise.all(members.map(follow));

  return {
    keys: () => mirror,
    connected: () => connected.size > 0,
    revision: watches.seen,
    complete: () => complete,
    caughtUp: async (revision, timeoutMs) => {
      await waitFor({
        clock,
        what: `the recorder to see revision ${revision}`,
        timeoutMs,
        intervalMs: 10,
        probe: async () => (watches.seen() >= revision || failure !== undefined ? true : undefined),
        describe: () =>
          `revision ${watches.seen()}, connected to ${[...connected].join(', ') || 'no member'}`,
      });
      if (failure !== undefined && !hasCode(failure, 'compacted')) throw failure;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}
