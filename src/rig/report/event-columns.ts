// etcd's events and the log as columns, with what matters of those that are too many.

import type { EtcdEvent, NodeLogLine, RecordedRun } from '../history.ts';
import { clipped } from './call-columns.ts';
import { choose } from './choose.ts';
import type { EtcdColumns, LogColumns } from './page-data.ts';
import { rounded, type Strings } from './strings.ts';

export const MOST_ROWS = 8_000;
const LONGEST_TEXT = 1_000;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export interface ColumnOptions {
  readonly momentsMs: readonly number[];
  readonly strings: Strings;
}

export function etcdColumns(run: RecordedRun, { momentsMs, strings }: ColumnOptions): EtcdColumns {
  const rows = choose(run.etcd, { most: MOST_ROWS, momentsMs, rank: () => 0 });
  const column = <Value>(value: (event: EtcdEvent) => Value): readonly Value[] => rows.map(value);
  return {
    total: run.etcd.length,
    atMs: column(({ atMs }) => rounded(atMs)),
    revision: column(({ revision }) => revision),
    deleted: column(({ kind }) => (kind === 'delete' ? 1 : 0)),
    key: column(({ key }) => strings.of(key)),
    value: column(({ value = '' }) => clipped(value, LONGEST_TEXT)),
  };
}

export function logColumns(run: RecordedRun, { momentsMs, strings }: ColumnOptions): LogColumns {
  const rank = ({ level }: NodeLogLine): number => Math.max(0, LEVELS.indexOf(level) - 1);
  const rows = choose(run.logs, { most: MOST_ROWS, momentsMs, rank });
  const column = <Value>(value: (line: NodeLogLine) => Value): readonly Value[] => rows.map(value);
  return {
    total: run.logs.length,
    atMs: column(({ atMs }) => rounded(atMs)),
    container: column(({ container }) => strings.of(container)),
    level: column(({ level }) => LEVELS.indexOf(level)),
    role: column(({ fields }) => strings.of(typeof fields.role === 'string' ? fields.role : '')),
    text: column((line) => clipped(logText(line), LONGEST_TEXT)),
  };
}

/** A line that is no daemon's is shown as it was printed. */
function logText({ event, fields }: NodeLogLine): string {
  if (event === 'text') return String(fields.text ?? '');
  const { node: _node, ...rest } = fields;
  const words = Object.entries(rest).map(
    ([name, value]) =>
      `${name}=${typeof value === 'string' && !value.includes(' ') ? value : JSON.stringify(value)}`,
  );
  return [event, ...words].join(' ');
}
