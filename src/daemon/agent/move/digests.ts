// Digests that other nodes ask for. One takes as long as the disk needs to read
// the copy, which is longer than a call may take, so it is computed beside the
// calls, which wait for a while and come again.

import type { Clock } from '../../../base/clock.ts';
import type { Copy, Storage } from '../../../storage/storage.ts';

/** Well below what a caller waits for an answer. */
const WAIT_MS = 10_000;

export interface Digests {
  /** Undefined while it isn't known: ask again. Rejects as the disk does. */
  of(copy: Copy): Promise<string | undefined>;
}

export function createDigests(options: {
  readonly clock: Clock;
  readonly storage: Storage;
  readonly signal: AbortSignal;
}): Digests {
  const { clock, storage, signal } = options;
  const known = new Map<string, Promise<string>>();
  return {
    of: async (copy) => {
      const key = `${copy.id}/${copy.name}`;
      const digest = known.get(key) ?? storage.digest(copy, signal);
      known.set(key, digest);
      const waiting = new AbortController();
      const soon = clock.sleep(WAIT_MS, waiting.signal).then(
        () => undefined,
        () => undefined,
      );
      try {
        const answer = await Promise.race([digest, soon]);
        // Whoever asked has it now; kept, it would outlive its copy.
        if (answer !== undefined) known.delete(key);
        return answer;
      } catch (error) {
        known.delete(key);
        throw error;
      } finally {
        waiting.abort();
      }
    },
  };
}
