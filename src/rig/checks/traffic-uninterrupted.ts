// Clients keep reading and writing while etcd is away.
//
// Assumes that a process with at least LEAST_CALLS calls through NFS is
// background traffic, which never pauses for long by itself, and that it may do
// all that it tries. What a script does step by step has a name that begins with
// its consumer's (rig/steps.ts) and is for `expectations` to judge. Traffic is
// judged while etcd was certainly away, between its first call and its last, and
// while no other fault touched the client or the nodes that it calls; gaps by the work clock.
// Nobody knows about a client that fell silent before etcd came back, or gave up a call
// that a slow machine left no time for, or about an outage without any traffic.

import { type Check, callerOf, type RecordedRun, type Verdict } from '../history.ts';
import { type Call, endedMs, type NfsOperation, nfsCalls } from './calls.ts';
import { disturbed, endMs, hits, type Outage, outages } from './outages.ts';
import type { Span } from './spans.ts';
import { answersOf, count, seconds } from './verdict.ts';
import { type WorkClock, workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('traffic-uninterrupted');

const LEAST_CALLS = 5;
const LONGEST_GAP_MS = 3_000;
/** For a node to start and to let clients in again, after their grace period. */
const RECOVERY_MS = 15_000;

/** One process in one outage; `succeeded` counts the calls that ended in it. */
type Finding =
  | { readonly violation: Verdict }
  | {
      /** Why nobody knows whether it was served. */
      readonly unseen?: string;
      readonly succeeded: number;
    };

export const trafficUninterrupted: Check = (run) => {
  const clients = [...Map.groupBy(nfsCalls(run), (call) => callerOf(call.process)).values()].filter(
    (calls) => calls.length >= LEAST_CALLS && calls.every(isBackground),
  );
  const absences = etcdAbsences(run);
  const clock = workClockOf(run);
  if (absences.length === 0) return unknown('etcd was never seen to be away');
  let succeeded = 0;
  const unseen: string[] = [];
  for (const absence of absences) {
    let here = 0;
    for (const calls of clients) {
      if (disturbed(absence, troubles(run, calls))) continue;
      const finding = judgeClient(calls, absence, clock);
      if ('violation' in finding) return finding.violation;
      here += finding.succeeded;
      if (finding.unseen !== undefined) unseen.push(finding.unseen);
    }
    if (here === 0)
      unseen.push(`no background traffic while etcd was away from ${seconds(absence.fromMs)} on`);
    succeeded += here;
  }
  if (unseen.length > 0) return unknown(unseen[0] ?? '', unseen);
  return valid(
    `${count(succeeded, 'call')} succeeded while etcd was away, no gap longer than ${LONGEST_GAP_MS} ms`,
  );
};

const isBackground = ({ process, operation }: Call<NfsOperation>): boolean =>
  process.split(' ')[0] !== operation.consumer;

/** Of what the client needs besides etcd: itself, and the nodes that it calls, all of them where it goes by an address. */
function troubles(run: RecordedRun, calls: readonly Call<NfsOperation>[]): readonly Outage[] {
  const nodes = run.topology.nodes.map(({ name }) => name);
  const called = new Set(calls.map(({ operation }) => operation.server));
  const isByName = [...called].every((server) => nodes.includes(server));
  const needed = [
    ...(isByName ? called : nodes),
    ...calls.slice(0, 1).map(({ operation }) => operation.consumer),
  ];
  return outages(run)
    .filter((outage) => outage.fromMs > 0 && outage.role === undefined)
    .filter((outage) => needed.some((name) => hits(outage, name)))
    .map((outage) => ({ ...outage, toMs: workClockOf(run).after(outage.toMs, RECOVERY_MS) }));
}

/** From the moment that the fault was seen until etcd was told to start. */
function etcdAbsences(run: RecordedRun): readonly Span[] {
  const lastMs = endMs(run);
  return outages(run)
    .filter((outage) => outage.container === 'etcd')
    .map((outage) => ({ fromMs: outage.certainFromMs, toMs: Math.min(outage.certainToMs, lastMs) }))
    .filter(({ fromMs, toMs }) => fromMs < toMs);
}

function judgeClient(calls: readonly Call<NfsOperation>[], absence: Span, clock: WorkClock): Finding {
  // Whatever became of it: it was over when its client gave up.
  const overMs = ({ completion }: Call): number => completion?.atMs ?? Number.POSITIVE_INFINITY;
  const meets = calls.filter((call) => call.invokedMs < absence.toMs && overMs(call) > absence.fromMs);
  const isLong = (span: Span): boolean => clock.workedMs(span) > LONGEST_GAP_MS;
  // One that its client gave up shows nothing if there was hardly time to answer it.
  const isStarved = ({ completion, invokedMs }: Call): boolean =>
    completion?.phase === 'info' &&
    completion.atMs - invokedMs > LONGEST_GAP_MS &&
    !isLong({ fromMs: invokedMs, toMs: completion.atMs });
  const isWrong = (call: Call): boolean =>
    call.completion !== undefined && call.completion.phase !== 'ok' && !isStarved(call);
  const wrong = meets.find(isWrong);
  if (wrong !== undefined) {
    return {
      violation: invalid(`a client's call did not succeed while etcd was away`, [
        `${seconds(absence.fromMs)}: etcd is away, until ${seconds(absence.toMs)}`,
        describe(wrong),
      ]),
    };
  }
  const ends = calls
    .filter(({ completion }) => completion?.phase === 'ok')
    .map(endedMs)
    .sort((a, b) => a - b);
  const inside = ends.filter((atMs) => atMs > absence.fromMs && atMs < absence.toMs);
  const beganMs = Math.max(absence.fromMs, calls[0]?.invokedMs ?? 0);
  const resumes =
    ends.some((atMs) => atMs >= absence.toMs) || meets.some((call) => call.completion === undefined);
  const marks = [beganMs, ...inside, ...(resumes ? [absence.toMs] : [])];
  const gap = marks.findIndex((atMs, index) => isLong({ fromMs: atMs, toMs: marks[index + 1] ?? atMs }));
  if (gap >= 0 && beganMs < absence.toMs) {
    return {
      violation: invalid(
        `a client made no progress for longer than ${LONGEST_GAP_MS} ms while etcd was away`,
        [
          `${seconds(absence.fromMs)}: etcd is away, until ${seconds(absence.toMs)}`,
          `${calls[0]?.process} completed nothing from ${seconds(marks[gap] ?? 0)} to ${seconds(marks[gap + 1] ?? 0)}`,
        ],
      ),
    };
  }
  const starved = meets.find(isStarved);
  const silentFromMs = inside.at(-1) ?? beganMs;
  // Nothing that came later shows that the machine alone was to blame for it.
  const isSilent = (resumes || inside.length > 0) && absence.toMs - silentFromMs > LONGEST_GAP_MS;
  const unseen = isSilent
    ? `${calls[0]?.process} completed no call from ${seconds(silentFromMs)} on, while etcd was away`
    : starved && describe(starved);
  return { succeeded: inside.length, ...(unseen !== undefined && { unseen }) };
}

const describe = ({ invokedMs, operation, completion, process, call }: Call<NfsOperation>): string =>
  `${seconds(invokedMs)}: ${operation.kind} of ${operation.file} by ${process} ends in ` +
  `${completion?.phase ?? 'nothing'}: ${completion?.error ?? 'no reason was given'} (call ${call})`.slice(
    0,
    400,
  );
