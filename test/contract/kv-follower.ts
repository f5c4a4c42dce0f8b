// A follower that keeps what it was told.

import { waitFor } from '../../src/base/retry.ts';
import { followPrefix } from '../../src/kv/follow.ts';
import type { Kv, WatchEvent } from '../../src/kv/kv.ts';
import { clock, random } from './kv-backends.ts';

export function follow(kv: Kv, prefix: string) {
  const stop = new AbortController();
  /** `first` is the first snapshot's revision, `snapshots` are their reasons. */
  const seen: { events: WatchEvent[]; snapshots: string[]; losses: number; first: number } = {
    events: [],
    snapshots: [],
    losses: 0,
    first: 0,
  };
  const done = followPrefix({
    kv,
    clock,
    random,
    prefix,
    signal: stop.signal,
    onSnapshot: ({ reason, revision }) => {
      seen.first ||= revision;
      seen.snapshots.push(reason);
    },
    onBatch: ({ events }) => {
      seen.events.push(...events);
    },
    onDisconnect: () => {
      seen.losses += 1;
    },
  });
  const until = (what: string, timeoutMs: number, holds: () => boolean): Promise<true> =>
    waitFor({ clock, what, timeoutMs, intervalMs: 10, probe: async () => holds() || undefined });
  return {
    seen,
    /** Resolves with the first snapshot. */
    following: () => until('the first snapshot', 5000, () => seen.snapshots.length > 0),
    untilLost: () => until('the loss', 5000, () => seen.losses > 0),
    untilSeen: (value: string, timeoutMs: number) =>
      until(`the follower to see ${value}`, timeoutMs, () =>
        seen.events.some((event) => event.kind === 'put' && event.kv.value === value),
      ),
    end: async (): Promise<void> => {
      stop.abort();
      await done;
    },
  };
}

/** Rejects with what ends a follower who may not follow; with `aborted` if nothing does so within 10 s. */
export function followUntilRefused(kv: Kv, prefix: string): Promise<void> {
  const signal = AbortSignal.timeout(10_000);
  return followPrefix({ kv, clock, random, prefix, signal, onSnapshot: () => {}, onBatch: () => {} });
}
