// Leader election with fencing: whoever creates the leader key leads, for as
// long as the key lives on that candidate's lease. The key's creation revision
// is the term; every write of a leader carries it as a compare, so that the
// writes of a deposed leader are refused whatever it still believes.

import type { Clock } from '../base/clock.ts';
import { abortError } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { backOff } from '../base/retry.ts';
import type { Leader } from '../model/node.ts';
import { followPrefix } from './follow.ts';
import { LEADER_KEY } from './keys.ts';
import type { Compare, KeyValue, Kv } from './kv.ts';
import type { Session } from './session.ts';

/** Nobody should need it; it bounds the damage should a watch ever go silent. */
const SAFETY_POLL_MS = 5000;

export interface Leadership {
  /** The creation revision of the leader key; grows with every leader. */
  readonly term: number;
  /** Fires when the session has ended, the key was deleted or replaced, or on resignation. */
  readonly lost: AbortSignal;
  /** Asks the clock as well as the watch: false from the moment the lease may have run out. */
  isLeader(): boolean;
  /** The compare that every write of this leader must carry. */
  fence(): Compare;
  /** Stops leading, then deletes the key, so that the next leader need not wait. Never rejects. */
  resign(): Promise<void>;
}

export interface CampaignOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  /** The lease to lead on. Closing it, too, ends the leadership. */
  readonly session: Session;
  /** Who is running: what the leader key will say, beside the time. */
  readonly candidate: Pick<Leader, 'node' | 'instance'>;
  /** Gives up the candidacy, or the leadership without resigning. */
  readonly signal: AbortSignal;
  readonly log?: Log | undefined;
}

/**
 * Waits to become leader, through outages of the store, for as long as the
 * session lasts. Rejects with `not_found` when the session has ended and with
 * `aborted` when the signal fired.
 */
export async function campaign(options: CampaignOptions): Promise<Leadership> {
  const { clock, random, session, signal, log } = options;
  let failures = 0;
  for (;;) {
    if (signal.aborted) throw abortError(signal);
    if (!session.isValid()) throw new RigError('not_found', `lease ${session.leaseId} ended before it led`);
    try {
      const outcome = await tryOnce(options);
      failures = 0;
      if ('term' in outcome) {
        log?.info('election.won', { ...options.candidate, term: outcome.term });
        return lead(options, outcome.term);
      }
      await untilGone(options, outcome);
    } catch (error) {
      // Whether the write happened does not matter: the next try finds its own key.
      if (!hasCode(error, 'unavailable', 'timeout', 'compacted')) throw error;
      log?.debug('election.retry', { cause: error });
      await backOff({ clock, random, signal: session.expired, attempt: failures, baseMs: 50, capMs: 500 });
      failures += 1;
    }
  }
}

/** Creates the leader key if nobody has. Answers with the term, or with where to begin waiting. */
async function tryOnce(options: CampaignOptions): Promise<{ term: number } | { heldAt: number }> {
  const { kv, clock, session, candidate } = options;
  const leader: Leader = { ...candidate, since: new Date(clock.nowMs()).toISOString() };
  const { succeeded, revision } = await kv.transact({
    compare: [{ key: LEADER_KEY, target: 'create', equals: 0 }],
    writes: [{ kind: 'put', key: LEADER_KEY, value: JSON.stringify(leader), lease: session.leaseId }],
  });
  if (succeeded) return { term: revision };
  const held = await kv.get(LEADER_KEY);
  // An earlier try of ours may have come through although its answer did not.
  if (held.kv?.lease === session.leaseId) return { term: held.kv.createRevision };
  return { heldAt: held.kv === undefined ? revision : held.revision };
}

/** Resolves when the leader key is deleted after `heldAt`, or when it is time to look anyhow. */
async function untilGone(options: CampaignOptions, { heldAt }: { heldAt: number }): Promise<void> {
  const { kv, clock, session, signal } = options;
  const stop = new AbortController();
  const onStop = (): void => stop.abort();
  const cancelPoll = clock.after(SAFETY_POLL_MS, onStop);
  for (const source of [signal, session.expired]) source.addEventListener('abort', onStop, { once: true });
  if (signal.aborted || session.expired.aborted) onStop();
  try {
    for await (const batch of kv.watch({
      prefix: LEADER_KEY,
      fromRevision: heldAt + 1,
      signal: stop.signal,
    })) {
      if (batch.events.some((event) => event.kind === 'delete' && event.key === LEADER_KEY)) return;
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    cancelPoll();
    for (const source of [signal, session.expired]) source.removeEventListener('abort', onStop);
  }
}

function lead(options: CampaignOptions, term: number): Leadership {
  const { kv, session, signal, log } = options;
  const lost = new AbortController();
  const fence = (): Compare => ({ key: LEADER_KEY, target: 'create', equals: term });
  const lose = (why: string): void => {
    if (lost.signal.aborted) return;
    log?.info('election.lost', { ...options.candidate, term, why });
    session.expired.removeEventListener('abort', onExpired);
    signal.removeEventListener('abort', onAbort);
    lost.abort(new RigError('fenced', `term ${term} is over: ${why}`));
  };
  const onExpired = (): void => lose('its session ended');
  const onAbort = (): void => lose('it was stopped');
  session.expired.addEventListener('abort', onExpired);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();

  const check = (kv: KeyValue | undefined): void => {
    if (kv?.createRevision !== term || kv.lease !== session.leaseId) lose('the leader key is not its own');
  };
  followPrefix({
    ...options,
    prefix: LEADER_KEY,
    signal: lost.signal,
    log: undefined,
    onSnapshot: ({ kvs }) => check(kvs.find(({ key }) => key === LEADER_KEY)),
    onBatch: ({ events }) => {
      for (const event of events) {
        if (event.kind === 'put' && event.kv.key === LEADER_KEY) check(event.kv);
        if (event.kind === 'delete' && event.key === LEADER_KEY) lose('the leader key was deleted');
      }
    },
  }).catch(() => lose('its client was closed'));

  return {
    term,
    lost: lost.signal,
    isLeader: () => session.isValid() && !lost.signal.aborted,
    fence,
    resign: async () => {
      lose('it resigned');
      await kv
        .transact({ compare: [fence()], writes: [{ kind: 'delete', key: LEADER_KEY }] })
        .catch((error: unknown) => log?.debug('election.resign_failed', { term, cause: error }));
    },
  };
}
