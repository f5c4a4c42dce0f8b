// From a revision of the past to where the shared feed is: the picture as it was then, and a watch of
// the reader's own from there on.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Random } from '../../base/random.ts';
import { backOff } from '../../base/retry.ts';
import type { Turns } from '../../base/turns.ts';
import { ROOT, VERSION_KEY } from '../../kv/keys.ts';
import type { Kv, ListResult } from '../../kv/kv.ts';
import type { Picture } from '../../model/picture.ts';
import { type OnMalformed, pictureOf, type Told, tell } from './changes.ts';

export interface PastOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly onMalformed: OnMalformed;
  /** Lists are large: a few at a time. */
  readonly gate: Turns;
  /** The last revision that the reader knows of. */
  readonly since: number;
  /** True when the feed has everything that comes after the revision. */
  readonly covers: (revision: number) => boolean;
}

export interface CatchUpOptions extends PastOptions {
  /** True when others are to have their turn. */
  readonly isOver: () => boolean;
}

/** Where the reader has come to, that the events since are gone, or that its turn was over before. */
export type CaughtUp = { readonly revision: number } | 'compacted' | 'replaced' | 'over';

/**
 * Yields whole revisions in order, and one without events from time to time. Ends where the feed can
 * take over, or when the signal fires. Waits while the store is away.
 */
export async function* catchUp(options: CatchUpOptions): AsyncGenerator<Told, CaughtUp> {
  const { clock, random, signal, covers } = options;
  let revision = options.since;
  let picture: Picture | undefined;
  for (let failures = 0; !signal.aborted && !covers(revision); failures += 1) {
    try {
      picture ??= pictureOf((await listAt(options, revision)).kvs, options.onMalformed);
      for await (const told of revisionsAfter(options, { revision, picture })) {
        failures = 0;
        revision = told.revision;
        yield told;
        if (covers(revision)) break;
        if (options.isOver()) return 'over';
      }
    } catch (error) {
      if (signal.aborted) break;
      if (hasCode(error, 'compacted')) return 'compacted';
      // A revision that is yet to come: somebody else's, or from before a restore.
      if (hasCode(error, 'invalid')) return 'replaced';
      if (!hasCode(error, 'unavailable', 'timeout')) throw error;
      yield { revision, events: [] };
      await backOff({ clock, random, signal, attempt: failures, baseMs: 50, capMs: 1000 });
    }
  }
  return { revision };
}

/**
 * True for a revision that the store has yet to reach: the reader comes from another store, or from the
 * time before this one was restored. Waits while the store is away; false when the signal fires.
 */
export async function isFuture(options: PastOptions): Promise<boolean> {
  const { kv, clock, random, signal, since } = options;
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      return since > (await kv.get(VERSION_KEY)).revision;
    } catch (error) {
      if (!hasCode(error, 'unavailable', 'timeout')) throw error;
      await backOff({ clock, random, signal, attempt, baseMs: 50, capMs: 1000 });
    }
  }
  return false;
}

/** Etcd takes 0 for now; at revision 1 there is nothing, as there is before it. */
function listAt({ kv, gate }: CatchUpOptions, revision: number): Promise<ListResult> {
  return gate.take(undefined, () => kv.list(ROOT, { revision: Math.max(1, revision) }));
}

async function* revisionsAfter(
  { kv, signal, onMalformed }: CatchUpOptions,
  from: { readonly revision: number; readonly picture: Picture },
): AsyncGenerator<Told> {
  const watch = kv.watch({ prefix: ROOT, fromRevision: from.revision + 1, signal });
  for await (const { events, revision } of watch) {
    const all = tell(from.picture, events, onMalformed);
    yield* all;
    if ((all.at(-1)?.revision ?? from.revision) < revision) yield { revision, events: [] };
  }
  throw new RigError('unavailable', 'the watch ended without a reason');
}
