// Which lines of logs somebody wants to see, and how they are shown.

import type { LogLevel } from '../base/log.ts';
import { type LogRecord, wallMsOf } from './log-record.ts';

/** All that is given must hold. */
export interface LogFilter {
  readonly role?: string | undefined;
  /** Its id. */
  readonly volume?: string | undefined;
  readonly trace?: string | undefined;
  /** At least so serious. */
  readonly level?: LogLevel | undefined;
  /** Wall-clock time, in milliseconds since the epoch. */
  readonly sinceMs?: number | undefined;
}

export const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function isWanted(record: LogRecord, { role, volume, trace, level, sinceMs }: LogFilter): boolean {
  return (
    (role === undefined || record.role === role) &&
    (volume === undefined || record.volume === volume) &&
    (trace === undefined || record.trace === trace) &&
    (level === undefined || LOG_LEVELS.indexOf(record.level) >= LOG_LEVELS.indexOf(level)) &&
    (sinceMs === undefined || wallMsOf(record) >= sinceMs)
  );
}

/** In the order of time; of one member's lines of one moment, as they were printed. `ownClocks`: members whose own times don't count. */
export function mergedLogs(
  byMember: ReadonlyMap<string, readonly LogRecord[]>,
  ownClocks: ReadonlySet<string> = new Set(),
): readonly LogRecord[] {
  return [...byMember]
    .flatMap(([member, records]) =>
      records.map((record) => ({ record, wallMs: wallMsOf(record, ownClocks.has(member)) })),
    )
    .sort((a, b) => a.wallMs - b.wallMs)
    .map(({ record }) => record);
}

/** ANSI, by what is to be told apart. */
const COLOURS: Readonly<Record<LogLevel, string>> = { debug: '2', info: '0', warn: '33', error: '31' };
const FAINT = '2';

/** One line, without its newline: time (UTC), member, role, level, event and the rest. */
export function showLog(record: LogRecord, { withColours }: { readonly withColours: boolean }): string {
  const { node, role, level } = record;
  const paint = (code: string, what: string): string => (withColours ? `\x1b[${code}m${what}\x1b[0m` : what);
  const wallMs = wallMsOf(record);
  const clock = wallMs === 0 ? '-'.repeat(12) : new Date(wallMs).toISOString().slice(11, 23);
  return [
    paint(FAINT, clock),
    node.padEnd(10),
    String(role ?? '').padEnd(10),
    paint(COLOURS[level], level.padEnd(5)),
    saidIn(record),
  ].join(' ');
}

/** What it says besides when, who and how serious: the event, and the rest as `name=value`. */
export function saidIn(record: LogRecord): string {
  const { time: _time, at: _at, node: _node, role: _role, level: _level, event, text, ...fields } = record;
  const said =
    event === 'text' && typeof text === 'string' ? [text] : [event, ...Object.entries(fields).map(shown)];
  // Nothing that a member prints may move the cursor, or worse.
  return said.join(' ').replaceAll(CONTROL, '\ufffd');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

const shown = ([name, value]: readonly [string, unknown]): string =>
  `${name}=${typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value)}`;
