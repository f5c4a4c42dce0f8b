// How role processes ended, as their supervisor logs it, and which ends no
// fault explains: a role that dies and is restarted over and over says nothing
// else about it, and may look well from outside.
//
// Assumes that a fault ends each role that it hits once, those that make processes
// end again and again (impairments.ts) aside, and that the supervisor learns of it
// within LOGGED_WITHIN_MS by the work clock. Logs are saved
// before the cluster is removed, so that its removal isn't in them.

import type { NodeLogLine, RecordedRun } from '../history.ts';
import { impairments, mayEnd } from './impairments.ts';
import { hits, type Outage, outages } from './outages.ts';
import { workClockOf } from './work-clock.ts';

const LOGGED_WITHIN_MS = 2_000;
/** The rig's clock and the daemons' are read at different moments. */
const CLOCK_SLACK_MS = 100;

/** The supervisor's word on the end of a process that it started (daemon/supervisor.ts). */
export const isRoleExit = (line: NodeLogLine): boolean =>
  line.event === 'role.exited' && typeof line.fields.role === 'string';

/** Every end of a role that neither a fault on the role nor one on its container explains, by time. */
export function unexplainedExits(run: RecordedRun): readonly NodeLogLine[] {
  const downs = outages(run).filter((outage) => outage.kind === 'down');
  const ending = impairments(run).filter(mayEnd);
  const spent = new Map<Outage, Set<string>>();
  const clock = workClockOf(run);
  return run.logs.filter((line) => {
    if (!isRoleExit(line)) return false;
    const isEnded = ending.some(
      ({ members, fromMs, toMs }) =>
        members.includes(line.container) &&
        line.atMs >= fromMs - CLOCK_SLACK_MS &&
        line.atMs <= clock.after(toMs, LOGGED_WITHIN_MS),
    );
    if (isEnded) return false;
    const role = String(line.fields.role);
    const fault = downs.find(
      (outage) =>
        hits(outage, line.container, role) &&
        line.atMs >= outage.fromMs - CLOCK_SLACK_MS &&
        line.atMs <= clock.after(outage.certainFromMs, LOGGED_WITHIN_MS) &&
        spent.get(outage)?.has(role) !== true,
    );
    if (fault === undefined) return true;
    spent.set(fault, (spent.get(fault) ?? new Set()).add(role));
    return false;
  });
}
