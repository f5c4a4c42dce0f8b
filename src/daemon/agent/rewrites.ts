// Defragmenting and compressing volumes. It may take hours, so it is no job of
// the queue: jobs go on beside it (a change of exports), and each tells what
// etcd says (`follow`). How a rewrite ended is kept until it is written down.
// Nothing is remembered over a restart: rewriting again what was rewritten does
// no harm.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import { createTurns } from '../../base/turns.ts';
import { LONGEST_REASON } from '../../model/reason.ts';
import type { Volume } from '../../model/volume.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Rewrite } from './decision.ts';
import type { StoredVolume } from './move/types.ts';

/** Each reads and writes all of a volume on the same disk: more at a time would not end sooner. */
const AT_ONCE = 2;
/** Less than the role is given to end (main.ts). A process that waits for a disk that hangs can't be killed. */
const STOP_LIMIT_MS = 3000;

export interface Rewrites {
  /** Tells what a fresh read of one of this node's volumes found: its rewrite begins, goes on, or ends. Returns at once. */
  follow(stored: StoredVolume): void;
  /** How the rewrite that was found by `follow` has ended; undefined when it hasn't. */
  endOf(id: string): Rewrite | undefined;
  /** The end was sent to etcd. Not `certain`: nobody knows whether it was written. */
  told(stored: StoredVolume, options: { readonly certain: boolean }): void;
  /**
   * Ends it, done or not; resolves when nothing works on the volume any more, or it has not ended for 3 s. Another
   * rewrite of the volume waits for it even then.
   */
  stop(id: string): Promise<void>;
  /** Ends all of them, and begins no more. */
  close(): Promise<void>;
}

interface Entry {
  readonly controller: AbortController;
  done: Promise<void>;
  end?: Rewrite;
  /** The end may have been written over this revision. */
  doubtedRevision?: number;
}

export function createRewrites(options: {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoints: Failpoints;
  /** A rewrite has ended: the volume should be looked at. */
  readonly onEnd: (id: string) => void;
}): Rewrites {
  const { storage, clock, log, failpoints } = options;
  const entries = new Map<string, Entry>();
  /** Those that were told to end, and haven't yet. */
  const ending = new Map<string, Promise<void>>();
  const turns = createTurns(AT_ONCE);
  let closed = false;

  const rewrite = async (volume: Volume, entry: Entry): Promise<void> => {
    const { id } = volume;
    const { signal } = entry.controller;
    const { task, writer } = volume.control;
    const compression = task?.kind === 'rewrite' ? task.compression : null;
    try {
      log.info('volume.rewriting', { volume: id, compression, by: writer.role });
      await failpoints.reach('agent/before-rewrite');
      const { beforeBytes, afterBytes } = await storage.rewrite({ id, compression, signal });
      await failpoints.reach('agent/after-rewrite');
      entry.end = {
        kind: 'rewritten',
        compression: compression ?? volume.actual?.compression ?? 'none',
        before: beforeBytes,
        after: afterBytes,
      };
      log.info('volume.rewritten', { volume: id, beforeBytes, afterBytes });
    } catch (error) {
      const cause = RigError.from(error, { code: 'io' });
      if (cause.code === 'aborted') throw cause;
      log.error('volume.work-failed', { volume: id, state: volume.state, deed: 'rewrite', cause });
      entry.end = { kind: 'fail', reason: cause.message.slice(0, LONGEST_REASON) };
    }
  };

  const start = (volume: Volume): void => {
    const { id } = volume;
    const entry: Entry = { controller: new AbortController(), done: Promise.resolve() };
    entries.set(id, entry);
    const { signal } = entry.controller;
    // Two at a time on one volume would get in each other's way.
    entry.done = (ending.get(id) ?? Promise.resolve())
      .then(() => turns.take(signal, () => rewrite(volume, entry)))
      .then(() => options.onEnd(id))
      .catch(() => {
        // Whoever ended it knows; if nobody did, the next look begins anew.
        if (entries.get(id) === entry) entries.delete(id);
      });
  };
  const stop = async (id: string): Promise<void> => {
    const entry = entries.get(id);
    entries.delete(id);
    entry?.controller.abort();
    if (entry !== undefined) {
      const done = entry.done.then(() => {
        if (ending.get(id) === done) ending.delete(id);
      });
      ending.set(id, done);
    }
    await awaitEnd(id);
  };
  const awaitEnd = async (id: string): Promise<void> => {
    const end = ending.get(id);
    if (end === undefined) return;
    const limit = Promise.withResolvers<void>();
    const cancel = clock.after(STOP_LIMIT_MS, () => {
      log.error('volume.rewrite-not-ended', { volume: id, afterMs: STOP_LIMIT_MS });
      limit.resolve();
    });
    await Promise.race([end, limit.promise]).finally(cancel);
  };

  return {
    follow: ({ volume, modRevision }) => {
      const entry = entries.get(volume.id);
      const isDoubted = entry?.doubtedRevision !== undefined && entry.doubtedRevision !== modRevision;
      if (entry !== undefined && (volume.state !== 'rewriting' || isDoubted)) void stop(volume.id);
      if (volume.state === 'rewriting' && !closed && !entries.has(volume.id)) start(volume);
    },
    endOf: (id) => entries.get(id)?.end,
    told: ({ volume, modRevision }, { certain }) => {
      const entry = entries.get(volume.id);
      if (certain) entries.delete(volume.id);
      else if (entry !== undefined) entry.doubtedRevision = modRevision;
    },
    stop,
    close: async () => {
      closed = true;
      await Promise.all([...entries.keys(), ...ending.keys()].map(stop));
    },
  };
}
