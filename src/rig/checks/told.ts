// Every consumer that follows the cluster's events is told of each change of
// its access, and of each move of what it has mounted: once, in order, so that it
// can act on it; and is never told to give up or mount anew what it may keep.
//
// Assumes that a consumer may mount what the agent says that it exports to it
// (`actual.exports`), at the address under which the volume's node is registered;
// that between a handover and the new node's export nobody can mount anything;
// and that an event tells of the one revision of etcd that it names. To `mount`
// what it may mount, where it is, does nobody any harm, whenever it is told so.
// When a node appears everybody is told, and may be told to `remount`. What was
// committed at the very beginning or the end of the following (listeners.ts, `dueSpan`)
// may or may not be told. After a `reset` the order begins anew; and a consumer
// that lost its stream in the middle of a revision is told all of it again.

import type { Check, RecordedRun, ToldEvent, Verdict } from '../history.ts';
import { type Instruction, instructionsIn } from '../instructions.ts';
import { dueSpan, isCoveredBy, type Listener, listeners } from './listeners.ts';
import { rulesFor, serverAt, type Wanted, wantedBy } from './told-wanted.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { volumeSteps } from './volume-history.ts';
import { brokenStream } from './watch-stream.ts';

const { valid, invalid, unknown } = answersOf('told');

interface Heard {
  readonly event: ToldEvent;
  readonly instruction: Instruction;
}

export const told: Check = (run) => {
  const all = listeners(run);
  if (all.length === 0) return unknown('no consumer followed the events');
  if (!run.etcdComplete) return unknown('the recorder did not see every revision of etcd');
  let judged = 0;
  for (const listener of all) {
    const broken = brokenStream(run, listener);
    if (broken !== undefined) return invalid(broken.reason, broken.lines);
    const found = judgeListener(run, listener);
    if (typeof found !== 'number') return found;
    judged += found;
  }
  if (judged === 0) return unknown('there was nothing that a consumer had to be told');
  return valid(`${count(judged, 'instruction')} to ${count(all.length, 'consumer')}, each once and in order`);
};

/** How many instructions it was owed and got; or what is wrong. */
function judgeListener(run: RecordedRun, listener: Listener): number | Verdict {
  const { consumer, address, events } = listener;
  // Up to there a snapshot tells how it has all come out.
  const isCovered = isCoveredBy(listener);
  const heard = events.flatMap((event) =>
    instructionsIn(event.data, address).map((instruction): Heard => ({ event, instruction })),
  );
  const later = heard.filter(({ instruction }) => !isCovered(instruction.revision));
  const byPlace = Map.groupBy(later, ({ instruction }) => `${instruction.revision} ${instruction.volume}`);
  const { fromMs, toMs } = dueSpan(run, listener);
  const isDue = ({ event }: Wanted): boolean =>
    !isCovered(event.revision) && event.atMs >= fromMs && event.atMs <= toMs;
  let judged = 0;
  for (const want of wantedBy(run, address)) {
    const place = `${want.event.revision} ${want.volume}`;
    const now = byPlace.get(place) ?? [];
    byPlace.delete(place);
    if (now.length === 0 && !isDue(want)) continue;
    const [one] = now.filter(
      ({ instruction }) => want.actions.includes(instruction.action) && instruction.server === want.server,
    );
    judged += 1;
    if (one !== undefined && now.length === 1) continue;
    return invalid(`${consumer} was not told once, and rightly, what to do with ${want.volume}`, [
      `${position(want.event)}: ${want.cause}`,
      `to be told: ${want.actions.join(' or ')} ${want.server ?? ''}`.trim(),
      ...(now.length === 0 ? ['it was told nothing'] : now.map(({ event }) => describe(event))),
    ]);
  }
  const unasked = [...byPlace.values()].flat();
  return unwanted(run, listener, unasked) ?? judged;
}

/** Something that no change calls for, and that isn't what the consumer has or may have anyway. */
function unwanted(
  run: RecordedRun,
  { consumer, address }: Listener,
  unasked: readonly Heard[],
): Verdict | undefined {
  if (unasked.length === 0) return undefined;
  const steps = Map.groupBy(volumeSteps(run), ({ id }) => id);
  for (const { event, instruction } of unasked) {
    const { volume: id, action, server, revision } = instruction;
    const last = steps.get(id)?.findLast((step) => step.event.revision <= revision);
    const isHarmless =
      action === 'mount' &&
      rulesFor(last?.after, address) !== '' &&
      server === serverAt(run, last?.after, revision);
    if (isHarmless) continue;
    return invalid(`${consumer} was told to ${action} ${id} though nothing called for it`, [
      ...(last === undefined ? [] : [`${position(last.event)}: the last change of ${id} by then`]),
      `by then it may do: ${rulesFor(last?.after, address) || 'nothing'}`,
      describe(event),
    ]);
  }
  return undefined;
}

const describe = (event: ToldEvent): string =>
  `${seconds(event.atMs)}: ${event.consumer} is told ${event.event} ${JSON.stringify(event.data)}`.slice(
    0,
    400,
  );
