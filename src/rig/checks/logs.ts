// No daemon crashed, and none logged an error that no fault explains.
//
// Assumes that a daemon logs one JSON object a line (base/log.ts), that other
// text comes from the machinery around it, and that a fault on a node explains
// that node's errors and those that name it (a move `to` it fails), one on etcd
// every node's, and a slow disk every node's mounts that time out, for as long as
// it lasts and for a lease's life and GRACE_MS (by the work clock) after. Nothing explains a crash, but for one by the
// error that a failpoint was told to throw, or what says that data is not as it must
// be, or that an API had no answer; the end of a role's process is a crash unless a fault ended it (role-exits.ts).

import type { Check, NodeLogLine, RecordedRun } from '../history.ts';
import { impairments } from './impairments.ts';
import { outages } from './outages.ts';
import { unexplainedExits } from './role-exits.ts';
import type { Span } from './spans.ts';
import { answersOf, count, seconds } from './verdict.ts';
import { workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('logs');

/** For connections to be made anew, and a node to start. */
const GRACE_MS = 10_000;
/** What no fault may bring about. A call that failed so was answered with 500: of what etcd does to it 503 has to tell. */
const NEVER: ReadonlySet<string> = new Set(['move.digest-mismatch', 'stored.malformed', 'api.failed']);
const CRASH_EVENT = /uncaught|unhandled|^role\.crashed$/i;
/** What Node.js itself prints when a process ends by an error. */
const CRASH_TEXT =
  /UnhandledPromiseRejection|Uncaught \S*(Error|Exception)|FATAL ERROR|heap out of memory|Segmentation fault|^Node\.js v\d|ERR_MODULE_NOT_FOUND/;

export const logs: Check = (run) => {
  const explanations = explained(run);
  const thrown = failpointsOf(run);
  const crashed = new Set(unexplainedExits(run));
  const nodes = new Set(run.topology.nodes.map((node) => node.name));
  const heard = new Set<string>();
  let lines = 0;
  for (const line of run.logs) {
    if (!nodes.has(line.container)) continue;
    lines += 1;
    if (!isText(line)) heard.add(line.container);
    if (crashed.has(line)) {
      const ends = [...crashed].filter((end) => sameRole(end, line));
      return invalid(
        `${count(ends.length, 'end')} of ${line.container}'s ${line.fields.role} that no fault explains`,
        ends.map(describe),
      );
    }
    if (isCrash(line) && !thrown.some((window) => window.explains(line)))
      return invalid(`${line.container} crashed`, [describe(line)]);
    if (line.level !== 'error') continue;
    if (!NEVER.has(line.event) && explanations.some((window) => window.explains(line))) continue;
    return invalid(
      `${line.container} logged an error that no fault ${NEVER.has(line.event) ? 'may bring about' : 'explains'}: ${line.event}`,
      [describe(line)],
    );
  }
  const silent = [...nodes].filter((node) => !heard.has(node));
  if (silent.length > 0) return unknown(`no log line of ${silent.join(', ')}`);
  return valid(
    `${count(lines, 'log line')} of ${count(nodes.size, 'node')}, no crash and no unexplained error`,
  );
};

/** A line that isn't the daemon's own (rig/log-lines.ts). */
const isText = (line: NodeLogLine): boolean => line.event === 'text';

const sameRole = (a: NodeLogLine, b: NodeLogLine): boolean =>
  a.container === b.container && a.fields.role === b.fields.role;

const isCrash = (line: NodeLogLine): boolean =>
  isText(line) ? CRASH_TEXT.test(String(line.fields.text)) : CRASH_EVENT.test(line.event);

interface Explanation {
  explains(line: NodeLogLine): boolean;
}

/** For the supervisor to hear of an end, and the log to be written. */
const LOGGED_WITHIN_MS = 2_000;

/** A role that ends by what it was made to stumble over names it. */
function failpointsOf(run: RecordedRun): readonly Explanation[] {
  const clock = workClockOf(run);
  return impairments(run).flatMap(({ fault, members, fromMs, toMs }): readonly Explanation[] => {
    if (fault.fault !== 'failpoint') return [];
    // Not parsed: a recorded run may name one that this version doesn't know.
    const names = fault.failpoints.split(';').map((one) => one.replace(/=.*/, '').trim());
    const untilMs = clock.after(toMs, LOGGED_WITHIN_MS);
    return [
      {
        explains: ({ atMs, container, event, fields }) =>
          event === 'role.crashed' &&
          members.includes(container) &&
          names.some((name) => String(fields.cause).endsWith(`failpoint ${name}`)) &&
          atMs >= fromMs &&
          atMs <= untilMs,
      },
    ];
  });
}

function explained(run: RecordedRun): readonly Explanation[] {
  const ttlMs = run.topology.settings.leaseTtlSeconds * 1000;
  const clock = workClockOf(run);
  const during = ({ fromMs, toMs }: Span, isMeant: (line: NodeLogLine) => boolean): Explanation => {
    const untilMs = clock.after(toMs + ttlMs, GRACE_MS);
    return { explains: (line) => line.atMs >= fromMs && line.atMs <= untilMs && isMeant(line) };
  };
  return [
    ...outages(run).map((outage) =>
      during(outage, (line) => outage.container === 'etcd' || concerns(line, outage.container)),
    ),
    ...impairments(run)
      .filter(({ fault }) => fault.fault === 'disk-slow')
      .map((slow) => during(slow, waitsForMount)),
  ];
}

/**
 * Nodes of a run share a kernel, in which mounts of BTRFS wait for each other: one of a slow disk
 * reads its superblock under the lock of all (uuid_mutex, fs/btrfs/volumes.c).
 */
const waitsForMount = ({ event, fields }: NodeLogLine): boolean =>
  event === 'volume.work-failed' && /\bmount -t btrfs\b.*: no end within/.test(String(fields.cause));

/** Whose it is, or who is named as the other side of what failed. */
const concerns = ({ container, fields }: NodeLogLine, node: string): boolean =>
  [container, fields.to, fields.from].includes(node);

const describe = (line: NodeLogLine): string =>
  `${seconds(line.atMs)}: ${line.container} ${line.level} ${line.event} ${JSON.stringify(line.fields)}`.slice(
    0,
    400,
  );
