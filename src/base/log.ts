// Logging as a port: one JSON object a line, so that the rig can put every
// node's lines on one time line and checks can read them.

/** Fields of a log line besides `at`, `level` and `event`. Must be JSON-serialisable. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** `event` is a stable dotted name (`engine.elected`), never a sentence: checks match on it. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log that adds these fields to each of its lines. */
  child(fields: LogFields): Log;
}

/** What a line looks like: `at` is ISO 8601 in UTC. */
export interface LogLine extends LogFields {
  readonly at: string;
  readonly level: LogLevel;
  readonly event: string;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** A log that hands each line at or above `level` (default `info`) to `write`, newline included. */
export function createLog(options: {
  readonly write: (line: string) => void;
  readonly nowMs: () => number;
  readonly level?: LogLevel;
  readonly fields?: LogFields;
}): Log {
  const threshold = LEVELS.indexOf(options.level ?? 'info');
  const emit = (level: LogLevel, event: string, fields: LogFields = {}): void => {
    if (LEVELS.indexOf(level) < threshold) return;
    const at = new Date(options.nowMs()).toISOString();
    const line = { at, level, event, ...options.fields, ...fields };
    // Asked about every field, a replacer makes it twice as long; most lines are plain.
    const isPlain = Object.values(line).every((value) => typeof value !== 'object' || value === null);
    options.write(`${isPlain ? JSON.stringify(line) : JSON.stringify(line, errorsAsText)}\n`);
  };
  return {
    debug: (event, fields) => emit('debug', event, fields),
    info: (event, fields) => emit('info', event, fields),
    warn: (event, fields) => emit('warn', event, fields),
    error: (event, fields) => emit('error', event, fields),
    child: (fields) => createLog({ ...options, fields: { ...options.fields, ...fields } }),
  };
}

function errorsAsText(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const code = 'code' in value ? ` [${String(value.code)}]` : '';
  return `${value.name}${code}: ${value.message}`;
}
