// Whether etcd can be reached, decided by a real read and not by memory.

import type { Clock } from '../../base/clock.ts';
import { VERSION_KEY } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import { withDeadline } from './deadline.ts';

/** Long enough to spare etcd a crowd of probes, too short for anybody to be misled. */
const CACHE_MS = 200;
const PROBE_TIMEOUT_MS = 1000;

/** Answers from a linearizable read that ended at most 200 ms ago, or is made now. Never rejects. */
export function createReadiness(options: { readonly kv: Kv; readonly clock: Clock }): () => Promise<boolean> {
  const { kv, clock } = options;
  let probing: Promise<boolean> | undefined;
  let last: { readonly ready: boolean; readonly atMs: number } | undefined;

  const probe = async (): Promise<boolean> => {
    const bounded = withDeadline({ kv, clock, timeoutMs: PROBE_TIMEOUT_MS });
    const ready = await bounded.get(VERSION_KEY).then(
      () => true,
      () => false,
    );
    last = { ready, atMs: clock.monotonicMs() };
    probing = undefined;
    return ready;
  };

  return async () => {
    if (last !== undefined && clock.monotonicMs() - last.atMs < CACHE_MS) return last.ready;
    probing ??= probe();
    return probing;
  };
}
