// Sends log lines to a log store: JSON, a line each, over TCP, as Logstash's input
// `tcp` with its codec `json_lines` takes them. What isn't taken in time is given up and counted:
// no run waits for a store, and none takes up more memory for it than it was given.

import { connect, type Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { type LogRecord, wallMsOf } from './log-record.ts';

export interface LogStore {
  readonly host: string;
  readonly port: number;
}

/** Lines that were handed to the network, some of them twice where a connection broke, and those that were given up. */
export interface Shipped {
  readonly sent: number;
  readonly dropped: number;
  /** Why the last attempt to reach the store failed; undefined when none has. */
  readonly failure?: string | undefined;
}

export interface LogShipper {
  /** Never waits and never throws. `from` is put on the line: which run it is of. */
  ship(record: LogRecord, from: { readonly run: string }): void;
  /** Resolves when all was taken, or with false when nothing was for as long as a store is waited for. */
  flush(): Promise<boolean>;
  /** Waits as `flush` does, gives up the rest, and hangs up. */
  end(): Promise<Shipped>;
}

/** A line that doesn't fit any more is dropped. */
const MOST_HELD_BYTES = 16 * 2 ** 20;
const CHUNK_BYTES = 64 * 1024;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
const STORE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 20;

export function createLogShipper(
  options: LogStore & {
    readonly clock: Clock;
    /** Default: 16 MiB. */
    readonly mostHeldBytes?: number;
    /** How long a store that takes nothing is waited for, at the end. Default: 5 s. */
    readonly withinMs?: number;
  },
): LogShipper {
  const { clock, host, port, mostHeldBytes = MOST_HELD_BYTES, withinMs = STORE_WITHIN_MS } = options;
  const held: string[] = [];
  let heldBytes = 0;
  let sent = 0;
  let dropped = 0;
  let failure: string | undefined;
  let socket: Socket | undefined;
  let isOpen = false;
  let isWriting = false;
  let hasEnded = false;
  let cancelRetry: (() => void) | undefined;
  let retryMs = FIRST_RETRY_MS;
  let progressMs = clock.monotonicMs();

  const open = (): void => {
    if (hasEnded || socket !== undefined || cancelRetry !== undefined) return;
    const opened = connect({ host, port });
    socket = opened;
    opened.once('connect', () => {
      isOpen = true;
      retryMs = FIRST_RETRY_MS;
      write();
    });
    // A store says nothing that is of interest here, but what it says has to be read for its end to be seen.
    opened.resume();
    opened.once('error', (error) => {
      failure = error.message;
    });
    opened.once('close', () => {
      socket = undefined;
      isOpen = false;
      if (hasEnded) return;
      failure ??= 'the store hung up';
      cancelRetry = clock.after(retryMs, () => {
        cancelRetry = undefined;
        if (held.length > 0) open();
      });
      retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
    });
  };

  /** One chunk at a time, so that of a connection which breaks it is known what was not taken. */
  const write = (): void => {
    if (!isOpen || isWriting || held.length === 0) return;
    let count = 0;
    let bytes = 0;
    while (count < held.length && bytes < CHUNK_BYTES) bytes += Buffer.byteLength(held[count++] as string);
    isWriting = true;
    socket?.write(held.slice(0, count).join(''), (error) => {
      isWriting = false;
      if (error) return;
      held.splice(0, count);
      heldBytes -= bytes;
      sent += count;
      progressMs = clock.monotonicMs();
      write();
    });
  };

  const flush = async (): Promise<boolean> => {
    progressMs = clock.monotonicMs();
    while (held.length > 0 && clock.monotonicMs() - progressMs < withinMs) await clock.sleep(LOOK_EVERY_MS);
    return held.length === 0;
  };

  return {
    ship: (record, from) => {
      const line = `${JSON.stringify({ '@timestamp': stampOf(record), ...record, ...from })}\n`;
      const bytes = Buffer.byteLength(line);
      if (hasEnded || heldBytes + bytes > mostHeldBytes) {
        dropped += 1;
        return;
      }
      held.push(line);
      heldBytes += bytes;
      open();
      write();
    },
    flush,
    end: async () => {
      await flush();
      hasEnded = true;
      cancelRetry?.();
      dropped += held.length;
      if (held.length > 0) socket?.destroy();
      else socket?.end();
      return { sent, dropped, failure: dropped > 0 ? failure : undefined };
    },
  };
}

/** Of a line whose time nobody knows, the store's own counts. */
function stampOf(record: LogRecord): string | undefined {
  const wallMs = wallMsOf(record);
  return wallMs === 0 ? undefined : new Date(wallMs).toISOString();
}

/** For people; undefined when there is nothing to say of it. */
export function describeShipped(
  { sent, dropped, failure }: Shipped,
  { host, port }: LogStore,
): string | undefined {
  const store = `${host}:${port}`;
  if (dropped > 0) {
    const why = failure === undefined ? 'it is too slow' : failure;
    return `${dropped} of ${sent + dropped} log lines did not reach the log store ${store}: ${why}`;
  }
  return sent > 0 ? `${sent} log lines went to the log store ${store}` : undefined;
}
