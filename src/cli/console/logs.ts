// The logs of a cluster in containers, for the console.

import type { Clock } from '../../base/clock.ts';
import type { ConsoleLogLine } from '../../rig/console/log-lines.ts';
import { openLiveLogs } from '../../rig/docker/live-logs.ts';
import { type LogRecord, wallMsOf } from '../../rig/log-record.ts';
import { mergedLogs, saidIn } from '../../rig/log-view.ts';
import type { ChosenCluster } from '../clusters.ts';
import type { Hub } from './hub.ts';

export const lineOf = (record: LogRecord): ConsoleLogLine => ({
  atMs: wallMsOf(record),
  member: record.node,
  role: typeof record.role === 'string' ? record.role : '',
  level: record.level,
  text: saidIn(record),
});

/** Lines that come so close to each other are told at once. */
const GATHER_MS = 40;

/** Until the signal fires; what was printed before comes first. */
export async function followLogsFor(options: {
  readonly hub: Hub;
  readonly docker: ChosenCluster['docker'];
  readonly clock: Clock;
  readonly runId: string;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { hub, clock, signal } = options;
  const logs = await openLiveLogs(options);
  const known = await logs.read();
  hub.tell({ type: 'logs', lines: mergedLogs(known).map(lineOf) });
  let gathered: ConsoleLogLine[] = [];
  await logs.follow(known, signal, (record) => {
    if (gathered.length === 0) {
      clock.after(GATHER_MS, () => {
        hub.tell({ type: 'logs', lines: gathered });
        gathered = [];
      });
    }
    gathered.push(lineOf(record));
  });
}
