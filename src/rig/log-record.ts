// A line of a member's log as a run keeps it, ships it and shows it: JSON, a line
// each, `logs/<member>/log.jsonl`. A daemon's line (base/log.ts) keeps its fields,
// among them `role`, and `volume` and `trace` where it is about one.

import type { LogLevel } from '../base/log.ts';
import type { NodeLogLine } from './history.ts';

/** What is no daemon's is `{level: 'info', event: 'text', text}`. */
export interface LogRecord {
  /** By the clock of whoever read the line from the member, RFC 3339; in simulated time where that passes. Empty: nobody knows. */
  readonly time: string;
  /** The daemon's own, of a clock that a fault may have set wrong. */
  readonly at?: unknown;
  /** The member that printed it: a node, a member of etcd or a consumer. */
  readonly node: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly [field: string]: unknown;
}

const LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'warn', 'error']);

/** The file of a member's records in its folder. */
export const LOG_FILE = 'log.jsonl';

/** Of one line that a member printed. */
export function logRecordOf(line: {
  readonly time: string;
  readonly node: string;
  readonly text: string;
}): LogRecord {
  const { time, node, text } = line;
  const { at, level, event, node: named = node, ...fields } = parseObject(text) ?? {};
  if (typeof event !== 'string' || !LEVELS.has(level))
    return { time, node, level: 'info', event: 'text', text };
  return {
    time,
    ...(at !== undefined && { at }),
    node,
    level: level as LogLevel,
    event,
    ...fields,
    // A line may be about another node than the one that prints it.
    ...(named !== node && { otherNode: named }),
  };
}

/** Of the lines of a file. What isn't a record, such as a last line that was cut short, is left out. */
export function parseLogRecords(text: string): readonly LogRecord[] {
  return text.split('\n').flatMap((line) => {
    const { time, node, level, event, ...fields } = parseObject(line) ?? {};
    const isRecord =
      typeof time === 'string' && typeof node === 'string' && typeof event === 'string' && LEVELS.has(level);
    return isRecord ? [{ time, node, level: level as LogLevel, event, ...fields }] : [];
  });
}

/** When it was printed, in milliseconds since the epoch; with `ownClock` the daemon's own time doesn't count. 0: nobody knows. */
export function wallMsOf({ time, at }: LogRecord, ownClock = false): number {
  const ownMs = typeof at === 'string' && !ownClock ? Date.parse(at) : Number.NaN;
  if (!Number.isNaN(ownMs)) return ownMs;
  const [, seconds, fraction = '', zone] = TIME.exec(time) ?? [];
  // Docker gives nanoseconds, of which Date.parse reads only the first three digits.
  return seconds === undefined ? 0 : Date.parse(`${seconds}${zone}`) + Number(`0${fraction}`) * 1000;
}

const TIME = /^(.{19})(\.\d+)?(.+)$/;

/** On the time line of a run that began at `startedAtMs`. */
export function placedOf(
  record: LogRecord,
  options: { readonly container: string; readonly startedAtMs: number; readonly ownClock?: boolean },
): NodeLogLine {
  const { container, startedAtMs, ownClock } = options;
  const { time: _time, at: _at, node: _node, level, event, ...fields } = record;
  const wallMs = wallMsOf(record, ownClock);
  return {
    atMs: wallMs === 0 ? 0 : toMicroseconds(wallMs - startedAtMs),
    container,
    level,
    event,
    fields,
  };
}

const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
