// What the consumers of the cluster's events were told is what etcd's history says,
// with the guarantees of a watch: each event once and in order, none missing, all
// of one revision together with the id on the last, and after a break of the stream
// exactly what follows the id that the consumer gave.
//
// Assumes that there is an event for each volume that is created, deleted or changed
// in what is shown of it, for each node that joins, leaves or changes in its address
// or its disk (whatever else of it has changed, there may be one), and for each change
// of the leader; that what clients have to do is for `told`; that the consumers asked
// for every kind; and, of what was committed at the very beginning or the end of the
// following (listeners.ts, `dueSpan`), nothing.

import type { Check, RecordedRun, ToldEvent, Verdict } from '../history.ts';
import { dueSpan, isCoveredBy, type Listener, listeners, revisionOf } from './listeners.ts';
import { answersOf, count, seconds } from './verdict.ts';
import { brokenStream } from './watch-stream.ts';
import { factsOf, type Happening, happenings, subjectOf } from './watch-wanted.ts';

const { valid, invalid, unknown } = answersOf('watch');

export const watch: Check = (run) => {
  const all = listeners(run);
  if (all.length === 0) return unknown('no consumer followed the events');
  if (!run.etcdComplete) return unknown('the recorder did not see every revision of etcd');
  const happened = happenings(run);
  let judged = 0;
  for (const listener of all) {
    const broken = brokenStream(run, listener);
    if (broken !== undefined) return invalid(broken.reason, broken.lines);
    const found = compare(run, listener, happened);
    if (typeof found !== 'number') return found;
    judged += found;
  }
  if (judged === 0) return unknown('nothing happened while a consumer followed the events');
  return valid(
    `${count(judged, 'event')} to ${count(all.length, 'consumer')}, each once, in order, and none missing`,
  );
};

/** How many were due and came. */
function compare(
  run: RecordedRun,
  listener: Listener,
  happened: ReadonlyMap<string, Happening>,
): number | Verdict {
  const { consumer, fromMs } = listener;
  const isCovered = isCoveredBy(listener);
  const heard = new Map<string, ToldEvent>();
  for (const event of listener.events) {
    const subject = subjectOf(event.data);
    const revision = revisionOf(event.data) ?? 0;
    if (subject === undefined || isCovered(revision)) continue;
    const place = `${revision} ${subject}`;
    const earlier = heard.get(place);
    if (earlier !== undefined) {
      return invalid(`${consumer} was told of ${subject} twice`, [describe(earlier), describe(event)]);
    }
    const happening = happened.get(place);
    if (happening === undefined) {
      return invalid(`${consumer} was told of something that never happened`, [
        describe(event),
        `revision ${revision} of etcd says nothing of the kind`,
      ]);
    }
    const { facts, line } = happening;
    if (facts !== undefined && facts !== factsOf(event.data)) {
      return invalid(`${consumer} was told something else of ${subject} than etcd says`, [
        describe(event),
        `${line()}: ${facts}`,
      ]);
    }
    heard.set(place, event);
  }
  const due = dueSpan(run, listener);
  let judged = 0;
  for (const [place, { atMs, revision, line, isDue }] of happened) {
    if (!isDue || isCovered(revision)) continue;
    const isHeard = heard.has(place);
    if (!isHeard && (atMs < due.fromMs || atMs > due.toMs)) continue;
    judged += 1;
    if (isHeard) continue;
    return invalid(`${consumer} was never told of something that happened`, [
      line(),
      `it followed the events from ${seconds(fromMs)} on`,
    ]);
  }
  return judged;
}

const describe = (event: ToldEvent): string =>
  `${seconds(event.atMs)}: ${event.consumer} is told ${event.event} ${JSON.stringify(event.data)}`.slice(
    0,
    400,
  );
