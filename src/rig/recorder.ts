// Watches etcd from revision 1 and records every event that it ever committed,
// through outages and restarts, each exactly once.

import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { ROOT } from '../kv/keys.ts';
import type { Kv } from '../kv/kv.ts';
import type { Journal } from './journal.ts';

/** How long to wait before asking again where etcd is. Observation only: it changes nothing. */
const RECONNECT_MS = 50;

export interface RecordedKey {
  readonly value: string;
  /** When the rig saw it written, in milliseconds since the run began. */
  readonly atMs: number;
}

export interface Recorder extends AsyncDisposable {
  /** Every key that there is, as the recorder last saw it: while etcd is away, as it was before. */
  keys(): ReadonlyMap<string, RecordedKey>;
  /** True from the first answer of etcd until its stream breaks. */
  connected(): boolean;
  /** False once history was lost: compacted away, or the cluster was replaced. */
  complete(): boolean;
  /** Waits until all that was committed up to the revision has been seen. */
  caughtUp(revision: number, timeoutMs: number): Promise<void>;
}

/** `connect` makes a client for wherever etcd is right now; it may throw while etcd is down. */
export function startRecorder(options: {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly connect: () => Promise<Kv>;
}): Recorder {
  const { clock, journal } = options;
  const stop = new AbortController();
  const mirror = new Map<string, RecordedKey>();
  let failure: RigError | undefined;
  let seen = 0;
  let connected = false;
  let complete = true;
  let clusterId: string | undefined;

  const drain = async (kv: Kv): Promise<void> => {
    const watch = kv.watch({ prefix: ROOT, fromRevision: seen + 1, signal: stop.signal });
    for await (const batch of watch) {
      connected = true;
      if (clusterId !== undefined && clusterId !== batch.clusterId) complete = false;
      clusterId = batch.clusterId;
      for (const event of batch.events) {
        if (event.kind === 'put') {
          const { key, value, modRevision, createRevision, lease } = event.kv;
          mirror.set(key, { value, atMs: journal.atMs() });
          journal.recordEtcd({ revision: modRevision, kind: 'put', key, value, createRevision, lease });
        } else {
          mirror.delete(event.key);
          journal.recordEtcd({ revision: event.modRevision, kind: 'delete', key: event.key });
        }
      }
      seen = Math.max(seen, batch.revision);
    }
  };

  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        const kv = await options.connect();
        try {
          await drain(kv);
        } finally {
          connected = false;
          await kv.close();
        }
      } catch (error) {
        // Nothing more can be seen, or nothing more can be recorded.
        if (!hasCode(error, 'unavailable', 'timeout', 'aborted', 'not_found')) {
          complete = false;
          failure = RigError.from(error);
          return;
        }
      }
      if (!stop.signal.aborted) await clock.sleep(RECONNECT_MS, stop.signal).catch(() => undefined);
    }
  };
  const running = loop();

  return {
    keys: () => mirror,
    connected: () => connected,
    complete: () => complete,
    caughtUp: async (revision, timeoutMs) => {
      await waitFor({
        clock,
        what: `the recorder to see revision ${revision}`,
        timeoutMs,
        intervalMs: 10,
        probe: async () => (seen >= revision || failure !== undefined ? true : undefined),
        describe: () => `revision ${seen}, ${connected ? 'connected' : 'not connected'}`,
      });
      if (failure !== undefined && !hasCode(failure, 'compacted')) throw failure;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}
