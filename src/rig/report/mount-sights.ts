// What applications with an open file on a kernel mount saw, as sentences: which errors, for how
// long, how long a call kept them waiting, and what helped. Nothing is judged by it.

import { type Call, endedMs, type NfsOperation, nfsCalls } from '../checks/calls.ts';
import { count, seconds } from '../checks/verdict.ts';
import { callerOf, type MountEvent, type RecordedRun } from '../history.ts';

type NfsCall = Call<NfsOperation>;

/** A sentence for each time that calls failed, for each application on which none did, and for each that could not be had. */
export function mountSights(run: RecordedRun): readonly string[] {
  const events = run.history.filter((event) => event.type === 'mount');
  const lacking = events
    .filter(({ did }) => did === 'unavailable')
    .map(({ consumer, error }) => `${consumer} was not asked what an open file sees: ${error}`);
  const through = nfsCalls(run).filter(({ operation }) => operation.through === 'kernel');
  const applications = Map.groupBy(through, ({ process }) => callerOf(process));
  return [
    ...new Set(lacking),
    ...[...applications].flatMap(([name, calls]) => {
      const troubles = troublesOf(calls);
      if (troubles.length === 0)
        return [`${name}: none of ${count(calls.length, 'call')} failed; ${waited(calls)}`];
      return troubles.map((trouble) => `${name}: ${sentenceOf(trouble, events)}`);
    }),
  ];
}

/** Calls that failed, one after the other, and the one that worked again. */
interface Trouble {
  readonly failed: readonly NfsCall[];
  readonly end: NfsCall | undefined;
}

/** Its files fail and work one by one: it is over when all that failed have worked again. */
function troublesOf(calls: readonly NfsCall[]): readonly Trouble[] {
  const troubles: { failed: NfsCall[]; end: NfsCall | undefined }[] = [];
  const failing = new Set<string>();
  const nameOf = ({ operation }: NfsCall): string => `${operation.kind} ${operation.file}`;
  let now: { failed: NfsCall[]; end: NfsCall | undefined } | undefined;
  for (const call of calls) {
    if (call.completion?.phase !== 'ok') {
      if (now === undefined) {
        now = { failed: [], end: undefined };
        troubles.push(now);
      }
      now.failed.push(call);
      failing.add(nameOf(call));
      continue;
    }
    failing.delete(nameOf(call));
    if (now === undefined || failing.size > 0) continue;
    now.end = call;
    now = undefined;
  }
  return troubles;
}

function sentenceOf({ failed, end }: Trouble, events: readonly MountEvent[]): string {
  const [first] = failed as readonly [NfsCall, ...NfsCall[]];
  const fromMs = first.invokedMs;
  const toMs = end === undefined ? Number.POSITIVE_INFINITY : endedMs(end);
  const errors = [...Map.groupBy(failed, errorOf)].map(([error, of]) => `${error} ×${of.length}`);
  const { consumer, volume } = first.operation;
  const changes = events.filter(
    (event) =>
      event.consumer === consumer &&
      event.volume === volume &&
      event.atMs >= fromMs - 1_000 &&
      event.atMs <= toMs,
  );
  const unmounted = changes.find(({ did }) => did === 'unmounted');
  // What was mounted before that is what the calls failed on.
  const mounted = changes.findLast(
    ({ did, atMs }) => did === 'mounted' && atMs >= (unmounted?.atMs ?? Number.POSITIVE_INFINITY),
  );
  const after = (ms: number): string => `after ${(Math.max(0, ms - fromMs) / 1_000).toFixed(2)} s`;
  const then = [
    ...(unmounted === undefined ? [] : [`unmounted ${after(unmounted.atMs)} (${unmounted.why})`]),
    ...(mounted === undefined ? [] : [`mounted from ${mounted.server} ${after(mounted.atMs)}`]),
    end === undefined ? 'not to be used again' : `worked again ${after(toMs)}`,
  ];
  return `${errors.join(', ')} from ${seconds(fromMs)} on, ${waited(failed)}; ${then.join(', ')}`;
}

/** `ESTALE`, or all that was said. */
const errorOf = ({ completion }: NfsCall): string =>
  completion === undefined
    ? 'no end'
    : (/^E[A-Z0-9]+(?=:)/.exec(completion.error ?? '')?.[0] ?? completion.error ?? 'failed');

function waited(calls: readonly NfsCall[]): string {
  const longestMs = Math.max(
    ...calls.flatMap(({ invokedMs, completion }) =>
      completion === undefined ? [] : [completion.atMs - invokedMs],
    ),
    0,
  );
  return `none longer than ${(longestMs / 1_000).toFixed(2)} s`;
}
