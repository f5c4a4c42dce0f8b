// Consumers that follow the cluster's events: from when to when they must have
// heard of everything, and what they heard.

import type { FollowEvent, RecordedRun, ToldEvent } from '../history.ts';
import { hits, type Outage, outages } from './outages.ts';
import type { Span } from './spans.ts';
import { seconds } from './verdict.ts';
import { workClockOf } from './work-clock.ts';

/** After its stream is back, and after a fault, a consumer may take so long to have caught up, by the work clock. */
export const CATCHES_UP_WITHIN_MS = 5_000;

/** It sees a commit within this of it, by the work clock. */
const SEEN_WITHIN_MS = 200;

export interface Listener {
  readonly consumer: string;
  readonly address: string;
  readonly fromMs: number;
  /** What was committed later it may not have heard of any more. */
  readonly toMs: number;
  /** Without what was told anew after the stream had broken. */
  readonly events: readonly ToldEvent[];
}

export function listeners(run: RecordedRun): readonly Listener[] {
  const following = run.history.filter((event) => event.type === 'follow');
  return [...Map.groupBy(following, ({ consumer }) => consumer)].flatMap(([consumer, phases]) => {
    // Without an id to go on from it hears only of what comes.
    const open = phases.findLast(({ phase, lastEventId }) => phase === 'open' && lastEventId === undefined);
    const address = run.consumers[consumer];
    if (open === undefined || address === undefined) return [];
    const toMs = heardUntil(run, phases);
    return [{ consumer, address, fromMs: open.atMs, toMs, events: heardBy(run, open) }];
  });
}

/** When it must have heard of what was committed: not of the first and the last moment of its following. */
export function dueSpan(run: RecordedRun, { fromMs, toMs }: Pick<Listener, 'fromMs' | 'toMs'>): Span {
  const clock = workClockOf(run);
  return { fromMs: clock.after(fromMs, SEEN_WITHIN_MS), toMs: clock.before(toMs, SEEN_WITHIN_MS) };
}

/**
 * Answers whether a `reset` stands for the revision: it was committed after all that the consumer had
 * heard by then. In a store that has gone back in time nothing that was before counts.
 */
export function isCoveredBy({ events }: Pick<Listener, 'events'>): (revision: number) => boolean {
  const gaps: { readonly after: number; readonly upTo: number }[] = [];
  let heardUpTo = 0;
  for (const { event, data } of events) {
    const revision = revisionOf(data) ?? 0;
    if (event === 'reset') {
      if ((data as { readonly reason?: unknown } | null)?.reason === 'replaced') heardUpTo = 0;
      gaps.push({ after: heardUpTo, upTo: revision });
    }
    heardUpTo = Math.max(heardUpTo, revision);
  }
  return (revision) => gaps.some(({ after, upTo }) => revision > after && revision <= upTo);
}

/** When it hung up; or before that, if it hadn't got its stream back, or it or whoever it listened to was hit. */
function heardUntil(run: RecordedRun, phases: readonly FollowEvent[]): number {
  const end = phases.find(({ phase }) => phase === 'end');
  const endMs = end?.atMs ?? Number.POSITIVE_INFINITY;
  const streams = phases.filter(({ phase }) => phase !== 'end');
  const open = streams.findLast(({ phase }) => phase === 'open');
  const lost = streams.findLast(({ phase }) => phase === 'lost');
  const isLost = streams.at(-1)?.phase === 'lost';
  const clock = workClockOf(run);
  const isFresh = open !== undefined && open.atMs > clock.before(endMs, CATCHES_UP_WITHIN_MS);
  let toMs = lost !== undefined && (isLost || isFresh) ? lost.atMs : endMs;
  const troubles = outages(run).flatMap((outage) => concerning(outage, phases));
  // Each may have begun while one before it still kept it from hearing.
  for (const { fromMs, toMs: untilMs } of troubles.toSorted((a, b) => b.fromMs - a.fromMs)) {
    if (fromMs < toMs && untilMs > clock.before(toMs, CATCHES_UP_WITHIN_MS)) toMs = fromMs;
  }
  return toMs;
}

/** When the outage may have kept the consumer from hearing: an API's not once it listens to the next one. */
function concerning(outage: Outage, phases: readonly FollowEvent[]): readonly Span[] {
  if (outage.fromMs === 0) return [];
  if (outage.container === 'etcd' || outage.container === phases[0]?.consumer) return [outage];
  const opened = phases.filter(({ phase }) => phase === 'open');
  return opened.flatMap(({ node, atMs }, index) => {
    const toMs = Math.min(outage.toMs, opened[index + 1]?.atMs ?? Number.POSITIVE_INFINITY);
    return hits(outage, node, 'api') && toMs > atMs ? [{ fromMs: outage.fromMs, toMs }] : [];
  });
}

/** What it was told since, without what it was told anew. */
function heardBy(run: RecordedRun, since: FollowEvent): readonly ToldEvent[] {
  const events: ToldEvent[] = [];
  let isHeard = false;
  for (const event of run.history) {
    if (event === since) isHeard = true;
    if (!isHeard || !('consumer' in event) || event.consumer !== since.consumer) continue;
    if (event.type === 'told') events.push(event);
    if (event.type !== 'follow' || event.phase !== 'open' || event.lastEventId === undefined) continue;
    const from = Number(event.lastEventId);
    // Only the revision that it was in the middle of.
    while (events.length > 0 && (revisionOf(events.at(-1)?.data) ?? 0) > from) events.pop();
  }
  return events;
}

/** Of etcd, that an event is of. */
export function revisionOf(data: unknown): number | undefined {
  const revision = (data as { readonly revision?: unknown } | null)?.revision;
  return typeof revision === 'number' ? revision : undefined;
}

/** For people. */
export const describeTold = (event: ToldEvent): string =>
  `${seconds(event.atMs)}: ${event.consumer} is told ${event.event}, id ${event.id ?? 'none'}, ` +
  JSON.stringify(event.data).slice(0, 300);
