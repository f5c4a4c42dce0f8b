// What the members of a cluster print, as they print it, over restarts, and of
// members that join later.

import { createInterface } from 'node:readline';
import { PassThrough, type Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import type { LogFollowing } from '../deployment.ts';
import { toLogRecords } from '../log-lines.ts';
import type { LogRecord } from '../log-record.ts';
import { demultiplexed, engine, SERVICE_LABEL } from './containers.ts';

/** A member that has started anew, or joined, is noticed within this. */
const LOOK_EVERY_MS = 500;

export interface FollowLogsOptions {
  readonly docker: Docker;
  readonly clock: Clock;
  /** Compose's. */
  readonly project: string;
  readonly onRecord: (record: LogRecord) => void;
  /** By member, the time of the last line that is known already. Default: none is. */
  readonly known?: ReadonlyMap<string, string>;
}

/** From now on `onRecord` gets every line, each member's in its order. */
export function followLogs(options: FollowLogsOptions): LogFollowing {
  const { clock } = options;
  const stop = new AbortController();
  const reader = createReader(options);
  const follow = async (): Promise<void> => {
    for (;;) {
      // An engine that fails for a moment is asked again; for good, the run itself fails of it.
      await reader.attach(stop.signal).catch(() => undefined);
      await clock.sleep(LOOK_EVERY_MS, stop.signal);
    }
  };
  const following = follow().catch(() => undefined);
  return {
    end: async () => {
      stop.abort();
      await following;
      await reader.detach();
      await reader.attach(undefined).catch(() => undefined);
    },
  };
}

interface Reader {
  /** Reads on from every container that isn't read from yet: until the signal fires, or without one up to now. */
  attach(until: AbortSignal | undefined): Promise<void>;
  /** Resolves when nothing is read any more; the signal has fired. */
  detach(): Promise<void>;
}

function createReader({ docker, project, onRecord, known }: FollowLogsOptions): Reader {
  const last = new Map(known);
  const reading = new Map<string, Promise<void>>();
  /** Containers that had ended when all was read of them. */
  const done = new Set<string>();

  const take = (member: string, line: string): void => {
    const [record] = toLogRecords(member, line);
    // The engine's times have nine digits each, and so an order.
    if (record === undefined || (record.time !== '' && record.time <= (last.get(member) ?? ''))) return;
    if (record.time !== '') last.set(member, record.time);
    onRecord(record);
  };

  const read = async (id: string, member: string, until: AbortSignal | undefined): Promise<void> => {
    const since = Math.floor(Date.parse(last.get(member) || '1970-01-01T00:00:00Z') / 1000);
    const wanted = { stdout: true, stderr: true, timestamps: true, since } as const;
    const container = docker.getContainer(id);
    if (until === undefined) {
      const raw = await container.logs({ ...wanted, follow: false });
      for (const line of demultiplexed(raw as unknown as Buffer).split('\n')) take(member, line);
      return;
    }
    const stream = await container.logs({ ...wanted, follow: true });
    const text = new PassThrough();
    docker.modem.demuxStream(stream, text, text);
    for (const over of ['end', 'close', 'error']) stream.once(over, () => text.end());
    using _hangUp = onceAborted(until, () => (stream as unknown as Readable).destroy());
    for await (const line of createInterface({ input: text })) take(member, line);
  };

  return {
    attach: async (until) => {
      const filters = { label: [`com.docker.compose.project=${project}`] };
      const found = await engine('list containers', () => docker.listContainers({ all: true, filters }));
      const begun = found.flatMap(({ Id, Labels, State }) => {
        const member = Labels[SERVICE_LABEL];
        const hasEnded = State !== 'running' && State !== 'paused';
        if (member === undefined || reading.has(Id) || (hasEnded && done.has(Id) && until !== undefined))
          return [];
        if (hasEnded) done.add(Id);
        else done.delete(Id);
        const ended = read(Id, member, until)
          .catch(() => undefined)
          .finally(() => reading.delete(Id));
        reading.set(Id, ended);
        return [ended];
      });
      if (until === undefined) await Promise.all(begun);
    },
    detach: async () => {
      await Promise.all(reading.values());
    },
  };
}

/** Calls back when it fires, at once if it has, until it is disposed of. */
function onceAborted(signal: AbortSignal, callback: () => void): Disposable {
  if (signal.aborted) callback();
  signal.addEventListener('abort', callback, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', callback) };
}
