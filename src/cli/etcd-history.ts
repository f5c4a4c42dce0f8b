// All that etcd still knows of some keys.

import { hasCode } from '../base/errors.ts';
import { type Kv, revisionOf, type WatchEvent } from '../kv/kv.ts';

export interface EtcdHistory {
  /** The first revision whose changes are still kept. */
  readonly from: number;
  readonly to: number;
  /** By revision; each with what it replaced, where that is kept. */
  readonly events: readonly WatchEvent[];
}

/** Up to now. Throws what {@link Kv} does. */
export async function historyOf(kv: Kv, prefix: string): Promise<EtcdHistory> {
  const { revision: to } = await kv.list(prefix, { limit: 1 });
  const from = (await compactedAt(kv, { prefix, to })) + 1;
  const events: WatchEvent[] = [];
  // An empty store is at revision 1.
  if (to === 1 || from > to) return { from, to, events };
  const over = new AbortController();
  // Of all keys: something was written at the newest revision, though hardly below the prefix.
  for await (const batch of kv.watch({
    prefix: '',
    fromRevision: from,
    previous: true,
    signal: over.signal,
  })) {
    events.push(
      ...batch.events.filter((event) => keyOf(event).startsWith(prefix) && revisionOf(event) <= to),
    );
    if (batch.revision >= to) break;
  }
  return { from, to, events };
}

const keyOf = (event: WatchEvent): string => (event.kind === 'put' ? event.kv.key : event.key);

/** The last revision of which the changes are gone, by asking for the half of what is left; 0: none. */
async function compactedAt(
  kv: Kv,
  { prefix, to }: { readonly prefix: string; readonly to: number },
): Promise<number> {
  const isKept = async (revision: number): Promise<boolean> => {
    try {
      await kv.list(prefix, { limit: 1, revision });
      return true;
    } catch (error) {
      if (hasCode(error, 'compacted')) return false;
      throw error;
    }
  };
  if (await isKept(1)) return 0;
  let [gone, kept] = [1, to];
  while (kept - gone > 1) {
    const middle = Math.floor((gone + kept) / 2);
    if (await isKept(middle)) kept = middle;
    else gone = middle;
  }
  // What was there at the compacted revision can be read; how it came about can't be told.
  return kept;
}
