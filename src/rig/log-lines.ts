// Reads what `docker logs --timestamps` gave: a time, a space, and whatever the
// container printed. Daemons print JSON (base/log.ts); all else is kept as text.
// A daemon's own time counts where it gives one: Docker stamps a line when it
// gets round to reading it, which on a busy machine is up to hundreds of
// milliseconds later. Both are read from the clock of one machine, unless a fault
// gave the daemon another one.

import type { LogLevel } from '../base/log.ts';
import type { NodeLogLine } from './history.ts';

const LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'warn', 'error']);
const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ?(.*)$/;

/**
 * The lines of one container, on the run's time line. `startedAtMs` is the
 * wall-clock time at which the run began. A line that isn't a daemon's becomes
 * `{level: 'info', event: 'text', fields: {text}}`; one without a time (the rest
 * of a longer one) gets the time of the line before it. With `ownClock` the
 * daemon's times are of a clock that was wrong, and Docker's count.
 */
export function parseLogLines(options: {
  readonly container: string;
  readonly text: string;
  readonly startedAtMs: number;
  readonly ownClock?: boolean;
}): readonly NodeLogLine[] {
  const { container, startedAtMs } = options;
  let atMs = 0;
  const lines: NodeLogLine[] = [];
  for (const raw of options.text.split('\n')) {
    if (raw.trim() === '') continue;
    const match = STAMPED.exec(raw);
    const [, seconds, fraction = '', zone, rest = ''] = match ?? [
      undefined,
      undefined,
      undefined,
      undefined,
      raw,
    ];
    // Docker gives nanoseconds, of which Date.parse reads only the first three digits.
    if (seconds !== undefined) {
      atMs = toMicroseconds(Date.parse(`${seconds}${zone}`) + Number(`0${fraction}`) * 1000 - startedAtMs);
    }
    const { at, ...line } = parseLine(rest);
    const ownMs =
      typeof at === 'string' && options.ownClock !== true
        ? toMicroseconds(Date.parse(at) - startedAtMs)
        : Number.NaN;
    lines.push({ atMs: Number.isNaN(ownMs) ? atMs : ownMs, container, ...line });
  }
  return lines;
}

const toMicroseconds = (ms: number): number => Math.round(ms * 1000) / 1000;

/** `at` is what a daemon's line gives for its time. */
function parseLine(text: string): Pick<NodeLogLine, 'level' | 'event' | 'fields'> & { at?: unknown } {
  const json = parseObject(text);
  const { at, level, event, ...fields } = json ?? {};
  if (typeof event === 'string' && LEVELS.has(level)) return { at, level: level as LogLevel, event, fields };
  return { level: 'info', event: 'text', fields: { text } };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}
