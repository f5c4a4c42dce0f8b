// The cluster's events for all who want them in one process: one watch, of which the newest events are
// kept for everybody to read at their own pace, resuming at any revision that etcd still has.

import { abortError, type Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { createTurns } from '../../base/turns.ts';
import { followPrefix } from '../../kv/follow.ts';
import { ROOT } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import type { EventOf } from '../../model/event.ts';
import { type Picture, snapshotOf } from '../../model/picture.ts';
import { catchUp, isFuture } from './catch-up.ts';
import { pictureOf, type Told, tell } from './changes.ts';
import { createPlaces } from './places.ts';
import { createRing } from './ring.ts';
import { startingFrom } from './start.ts';
import { createWaiting } from './waiting.ts';

/** Of events: some MB at most. */
const DEFAULT_CAPACITY = 10_000;
const CONCURRENT_LISTS = 2;
/** Readers that catch up at a time: each holds a picture of the whole cluster. */
export const CONCURRENT_CATCH_UPS = 16;
/** How long one may be at it while others wait. */
const CATCH_UP_TURN_MS = 30_000;

export interface FeedOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Events that are kept for readers. Default: 10 000. */
  readonly capacity?: number | undefined;
  /** Follow from this revision on, if it is still kept, so that readers may begin there. Default: from now on. */
  readonly from?: number | undefined;
  /** Ends the feed and all its readers. */
  readonly signal: AbortSignal;
}

export interface ReadOptions {
  /** The last revision that the reader knows of. */
  readonly since: number;
  /** After how long without a word there is a bookmark; asked anew each time. */
  readonly idleMs: () => number;
  readonly signal: AbortSignal;
}

export interface Feed {
  /** Resolves when the cluster is known. Rejects with `aborted` when either signal fires, or when the feed has failed. */
  ready(signal: AbortSignal): Promise<void>;
  /** The last revision whose events are known; 0 before it is ready. */
  readonly revision: number;
  /** True when whoever begins after the revision now has to wait until others have caught up. */
  isCrowded(since: number): boolean;
  /** Fires when there will be no more events. */
  readonly ended: AbortSignal;
  /**
   * Whole revisions after `since`, each once and in order, through outages of the store; without events
   * it is a bookmark: nothing more up to that revision. Where events are gone, one `reset` and all that
   * there is take their place. Ends when the signal fires, when the feed ends, and when the reader was
   * so slow that its place is lost, or others' turn to catch up has come: it may then begin anew. The
   * feed must be ready.
   */
  read(options: ReadOptions): AsyncGenerator<Told>;
}

/** Begins to follow at once. */
export function createFeed(options: FeedOptions): Feed {
  const { clock, log } = options;
  const ring = createRing(options.capacity ?? DEFAULT_CAPACITY);
  const gate = createTurns(CONCURRENT_LISTS);
  const waiting = createWaiting(clock);
  const places = createPlaces({ limit: CONCURRENT_CATCH_UPS, turnMs: CATCH_UP_TURN_MS, clock });
  const failed = new AbortController();
  const ended = AbortSignal.any([options.signal, failed.signal]);
  const onMalformed = (key: string, cause: unknown): void => log.error('stored.malformed', { key, cause });
  let picture: Picture | undefined;
  let revision = 0;

  followPrefix({
    ...options,
    kv: startingFrom(options.kv, options.from),
    prefix: ROOT,
    signal: ended,
    log: undefined,
    onSnapshot: (snapshot) => {
      picture = pictureOf(snapshot.kvs, onMalformed);
      revision = snapshot.revision;
      if (snapshot.reason === 'first') ring.begin(revision);
      else ring.reset(resetOf(snapshot.reason, { picture, revision }));
      waiting.wakeAll();
    },
    onBatch: (batch) => {
      if (picture === undefined) throw new RigError('internal', 'events came before the snapshot');
      for (const told of tell(picture, batch.events, onMalformed)) ring.add(told);
      revision = batch.revision;
      waiting.wakeAll();
    },
  }).catch((cause: unknown) => {
    if (!hasCode(cause, 'aborted')) log.error('events.feed-failed', { cause });
    failed.abort(cause);
  });

  /** From a place that is kept on; what the reader knows of already is passed over. */
  async function* keptAfter({ since, idleMs, signal }: ReadOptions): AsyncGenerator<Told> {
    let place = ring.placeAfter(since);
    let known = since;
    let wordMs = clock.monotonicMs();
    while (!signal.aborted) {
      const found = ring.at(place);
      if (found === 'lost') return;
      const leftMs = wordMs + idleMs() - clock.monotonicMs();
      if (found !== undefined) {
        place = found.next;
        // After a reset the store may count from further back: what was known doesn't count any more.
        if (found.told.events[0]?.kind === 'reset') known = found.told.revision;
        else if (found.told.revision <= known) continue;
        yield found.told;
        wordMs = clock.monotonicMs();
      } else if (leftMs <= 0) {
        yield { revision: Math.max(revision, known), events: [] };
        wordMs = clock.monotonicMs();
      } else {
        await waiting.wait({ ms: leftMs, signal });
      }
    }
  }

  const resetNow = (reason: EventOf<'reset'>['reason']): Told => {
    if (picture === undefined) throw new RigError('internal', 'the feed is read before it is ready');
    return resetOf(reason, { picture, revision });
  };

  /** Answers with where the reader has come to; undefined when it has to begin anew. */
  async function* upToDate({ since, signal }: ReadOptions): AsyncGenerator<Told, number | undefined> {
    const past = { ...options, signal, since, gate, onMalformed, covers: ring.covers };
    if (ring.covers(since)) {
      if (since <= revision || !(await isFuture(past))) return since;
      const reset = resetNow('replaced');
      yield reset;
      return reset.revision;
    }
    const place = await places.take(signal);
    try {
      if (place === undefined) return undefined;
      const outcome = yield* catchUp({ ...past, isOver: place.isOver });
      if (outcome === 'over') return undefined;
      if (typeof outcome !== 'string') return outcome.revision;
      const reset = resetNow(outcome);
      yield reset;
      return reset.revision;
    } finally {
      place?.leave();
    }
  }

  return {
    isCrowded: (since) => places.isFull && !ring.covers(since),
    ready: async (signal) => {
      const either = AbortSignal.any([signal, ended]);
      while (picture === undefined) {
        if (either.aborted) throw abortError(either);
        await waiting.wait({ signal: either });
      }
    },
    get revision() {
      return revision;
    },
    ended,
    async *read(reader) {
      if (picture === undefined) throw new RigError('internal', 'the feed is read before it is ready');
      const signal = AbortSignal.any([reader.signal, ended]);
      const begun = picture;
      const since = yield* upToDate({ ...reader, signal });
      if (since === undefined) return;
      // It took its time: what comes next may be gone by now, and after a reset its revision means nothing here.
      if (picture !== begun || !ring.covers(since)) return;
      yield* keptAfter({ ...reader, since, signal });
    },
  };
}

function resetOf(
  reason: EventOf<'reset'>['reason'],
  now: { readonly picture: Picture; readonly revision: number },
): Told {
  const { picture, revision } = now;
  return { revision, events: [{ kind: 'reset', revision, reason }, ...snapshotOf(picture, revision)] };
}
