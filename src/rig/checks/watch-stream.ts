// The form of a consumer's stream, whatever it tells: revisions in order, all of one
// together, the id on the last of them, nothing told again that it knew, and no `reset`
// but where one is called for, with all that there is behind it (resets.ts).

import type { RecordedRun, ToldEvent } from '../history.ts';
import { describeTold, type Listener, revisionOf } from './listeners.ts';
import { type Broken, brokenReset } from './resets.ts';

export function brokenStream(run: RecordedRun, listener: Listener): Broken | undefined {
  const { consumer, events } = listener;
  return withoutBookmark(consumer, events) ?? toldAgain(run, consumer) ?? brokenReset(run, listener);
}

/** The last of a revision has the revision for its id, and no other has one: whoever went on after it would miss the rest. */
function withoutBookmark(consumer: string, events: readonly ToldEvent[]): Broken | undefined {
  for (const [index, event] of events.entries()) {
    const next = events[index + 1];
    const revision = revisionOf(event.data);
    if (revision === undefined) {
      return { reason: `${consumer} was told something without a revision`, lines: [describeTold(event)] };
    }
    const broken = (reason: string): Broken => ({
      reason,
      lines: [event, ...(next === undefined ? [] : [next])].map(describeTold),
    });
    const begins = next?.event === 'reset' && event.event !== 'reset';
    const isLast = next !== undefined && (begins || revisionOf(next.data) !== revision);
    if (event.id !== undefined && event.id !== String(revision)) {
      return broken(`${consumer} was given an id that isn't the event's revision`);
    }
    if (next !== undefined && next.event !== 'reset' && (revisionOf(next.data) ?? 0) < revision) {
      return broken(`${consumer} was told of an older revision after ${revision}`);
    }
    if (isLast && event.id === undefined) {
      return broken(`${consumer} was given no id at the end of revision ${revision}`);
    }
    if (next !== undefined && !isLast && event.id !== undefined) {
      return broken(`${consumer} was given the id of revision ${revision} before the last of it`);
    }
  }
  return undefined;
}

/** After a stream that it took up at an id there is nothing up to that one, but for a reset. */
function toldAgain(run: RecordedRun, consumer: string): Broken | undefined {
  let from: number | undefined;
  for (const event of run.history) {
    if (!('consumer' in event) || event.consumer !== consumer) continue;
    if (event.type === 'follow' && event.phase === 'open') {
      from = event.lastEventId === undefined ? undefined : Number(event.lastEventId);
    }
    if (event.type !== 'told') continue;
    if (event.event === 'reset') from = undefined;
    if (from === undefined || (revisionOf(event.data) ?? 0) > from) continue;
    return {
      reason: `${consumer} went on after revision ${from}, and was told of an older one`,
      lines: [describeTold(event)],
    };
  }
  return undefined;
}
