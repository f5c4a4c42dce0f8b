// The logs of a cluster that is there, whoever has started it.

import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { toLogRecords } from '../log-lines.ts';
import { type LogRecord, wallMsOf } from '../log-record.ts';
import { createContainers } from './containers.ts';
import { projectOf } from './deploy.ts';
import { followLogs } from './follow-logs.ts';

type Logs = ReadonlyMap<string, readonly LogRecord[]>;

export interface LiveLogs {
  /** By member, all that there is by now. */
  read(): Promise<Logs>;
  /** Hands over what comes after `known` until the signal fires, in the order of time but for lines that come late. */
  follow(known: Logs, signal: AbortSignal, onRecord: (record: LogRecord) => void): Promise<void>;
}

/** Lines are held back for so long to twice as long, since those of several members don't come in their order. */
const HOLD_MS = 150;

/** Throws `not_found` when nothing is there of a cluster of that id. */
export async function openLiveLogs(options: {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly runId: string;
}): Promise<LiveLogs> {
  const { docker, clock, runId } = options;
  const project = projectOf(runId);
  const containers = createContainers(docker, clock, project);
  if ((await containers.services()).length === 0) {
    throw new RigError('not_found', `there is no cluster '${runId}'`, {
      next: 'Start one with rig up, or name a run that was recorded with --run.',
    });
  }
  return {
    read: async () => {
      const members = await containers.services();
      return new Map(
        await Promise.all(
          members.map(
            async (member) => [member, toLogRecords(member, await containers.logs(member))] as const,
          ),
        ),
      );
    },
    follow: async (known, signal, onRecord) => {
      const times = [...known].map(([member, records]) => [member, records.at(-1)?.time ?? ''] as const);
      let earlier: LogRecord[] = [];
      let latest: LogRecord[] = [];
      const pass = (): void => {
        for (const record of earlier.sort((a, b) => wallMsOf(a) - wallMsOf(b))) onRecord(record);
        earlier = latest;
        latest = [];
      };
      const take = (record: LogRecord): void => void latest.push(record);
      const following = followLogs({ docker, clock, project, onRecord: take, known: new Map(times) });
      while (!signal.aborted) {
        await clock.sleep(HOLD_MS, signal).catch(() => undefined);
        pass();
      }
      await following.end();
      pass();
      pass();
    },
  };
}
