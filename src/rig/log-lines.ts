// Reads what `docker logs --timestamps` gave: a time, a space, and whatever the
// container printed. Daemons print JSON (base/log.ts); all else is kept as text.
// A daemon's own time counts where it gives one: Docker stamps a line when it
// gets round to reading it, which on a busy machine is up to hundreds of
// milliseconds later. Both are read from the clock of one machine, unless a fault
// gave the daemon another one.

import type { NodeLogLine } from './history.ts';
import { type LogRecord, logRecordOf, placedOf } from './log-record.ts';

const STAMPED = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?(.*)$/;

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
  const { container, text, ...time } = options;
  return toLogRecords(container, text).map((record) => placedOf(record, { container, ...time }));
}

/** What one container printed as records, in the order in which it was printed; empty lines are left out. */
export function toLogRecords(container: string, text: string): readonly LogRecord[] {
  let time = '';
  const records: LogRecord[] = [];
  for (const raw of text.split('\n')) {
    if (raw.trim() === '') continue;
    const [, stamp, rest = ''] = STAMPED.exec(raw) ?? [undefined, undefined, raw];
    time = stamp ?? time;
    records.push(logRecordOf({ time, node: container, text: rest }));
  }
  return records;
}

/** What members have printed, by their names; of one that was removed and came again under its name, one after the other. */
export function logRecordsOf(
  members: Iterable<{ readonly name: string; readonly printed: readonly string[] }>,
): ReadonlyMap<string, readonly LogRecord[]> {
  const texts = new Map<string, string>();
  for (const { name, printed } of members) texts.set(name, `${texts.get(name) ?? ''}${printed.join('')}`);
  return new Map([...texts].map(([name, text]) => [name, toLogRecords(name, text)]));
}
