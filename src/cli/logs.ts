// `rig logs`: the logs of all members of a cluster as one, of a run that was recorded or of
// a cluster that is there.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { LogLevel } from '../base/log.ts';
import { readSettings } from '../cluster/settings.ts';
import { openShipping } from '../cluster/shipping.ts';
import { ROLES } from '../model/volume.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { openLiveLogs } from '../rig/docker/live-logs.ts';
import { type LogRecord, wallMsOf } from '../rig/log-record.ts';
import { isWanted, LOG_LEVELS, type LogFilter, mergedLogs, showLog } from '../rig/log-view.ts';
import { LOGS_FOLDER, readLogRecords, readRunFile } from '../rig/record-files.ts';
import { DEFAULT_CLUSTER, parseClusterName, runIdOf } from './cluster-name.ts';
import { catchInterrupt } from './interrupt.ts';
import { whenUnread } from './lost-output.ts';
import { help } from './output.ts';

interface LogsFlags {
  readonly follow?: boolean;
  readonly run?: string;
  readonly name?: string;
  readonly role?: string;
  readonly volume?: string;
  readonly trace?: string;
  readonly level?: string;
  readonly since?: string;
  readonly json?: boolean;
  readonly ship?: boolean;
}

export function registerLogs(program: Command): void {
  program
    .command('logs')
    .argument('[member...]', 'these only: nodes, members of etcd, consumers')
    .option('-f, --follow', 'go on with what is printed from now on; of a cluster that is there')
    .option('--run <folder>', 'of this run; default: of a cluster of rig up')
    .option('--name <name>', 'which cluster of rig up', parseClusterName)
    .option('--role <role>', 'only what this role logs: api, engine, agent or supervisor')
    .option('--volume <id>', 'only what is about this volume')
    .option('--trace <id>', 'only what follows from the call with this trace id (W3C Trace Context)')
    .option('--level <level>', 'at least so serious: debug, info, warn or error')
    .option('--since <time>', 'not before: 2026-01-31T12:00:00Z; or 30s, 5m, 2h before the last line')
    .option('--json', 'a JSON object a line, as recorded')
    .option('--ship', 'to the log store at LOGSTASH_HOST and LOGSTASH_PORT, instead of printing them')
    .addHelpText(
      'after',
      help(
        ['rig logs -f node1 --role agent', 'rig logs --run runs/<time>-chaos-7 --level warn --since 10s'],
        'a record a line, as in log.jsonl',
      ),
    )
    .action(logs);
}

/** What came of sending logs to a store. */
export const tellShipped = (line: string): void => void process.stderr.write(`rig: ${line}\n`);

async function logs(members: readonly string[], flags: LogsFlags): Promise<void> {
  const filter = parseFilter(flags);
  const since = flags.since === undefined ? undefined : parseSince(flags.since);
  if (flags.run !== undefined && flags.name !== undefined) {
    throw new RigError('invalid', '--run and --name name two clusters', { next: 'Give one of them.' });
  }
  const clock = createSystemClock();
  const shipping = flags.ship === true ? openShipping(clock) : undefined;
  const what = flags.run ?? runIdOf(flags.name ?? DEFAULT_CLUSTER);
  const ship = shipping?.from(what);
  if (shipping !== undefined && ship === undefined) {
    throw new RigError('invalid', 'there is no log store to send the logs to', {
      next: 'Set LOGSTASH_HOST and LOGSTASH_PORT, or leave --ship out.',
    });
  }
  const print = flags.json === true ? printJson : printText;
  const wanted = new Set(members);
  const show = ship ?? print;
  const source = await sourceOf(what, flags);
  const known = await source.read();
  refuseUnknown(members, known);
  const merged = mergedLogs(chosen(known, wanted), source.ownClocks);
  const sinceMs = since?.(merged);
  for (const record of merged) if (isWanted(record, { ...filter, sinceMs })) show(record);
  if (source.follow !== undefined && flags.follow === true) {
    using interrupt = catchInterrupt(() => undefined);
    const signal = AbortSignal.any([interrupt.signal, whenUnread()]);
    await source.follow(known, signal, (record) => {
      const isOf = wanted.size === 0 || wanted.has(record.node);
      if (isOf && isWanted(record, { ...filter, sinceMs })) show(record);
    });
  }
  await shipping?.end(tellShipped);
}

type Logs = ReadonlyMap<string, readonly LogRecord[]>;

interface Source {
  /** Members whose own times don't count. */
  readonly ownClocks: ReadonlySet<string>;
  /** What there is by now, by member. */
  read(): Promise<Logs>;
  /** Goes on after that, until the signal fires. Absent for what is over. */
  readonly follow?: (
    known: Logs,
    signal: AbortSignal,
    onRecord: (record: LogRecord) => void,
  ) => Promise<void>;
}

async function sourceOf(what: string, flags: LogsFlags): Promise<Source> {
  if (flags.run === undefined) return { ownClocks: new Set(), ...(await liveLogs(what)) };
  const { topology, runId, mode } = await readRunFile(flags.run);
  const own = topology.nodes.filter((node) => node.clock === 'own').map(({ name }) => name);
  const ownClocks = new Set(own);
  const folder = join(flags.run, LOGS_FOLDER);
  const isOver = existsSync(folder);
  if (flags.follow !== true && isOver) return { ownClocks, read: () => readLogRecords(folder) };
  if (mode === undefined) return { ownClocks, ...(await liveLogs(runId)) };
  throw new RigError('unsupported', `the logs of ${flags.run} are there only when it is over`, {
    next: 'Leave -f out, or wait until it has ended.',
  });
}

/** Throws `not_found` when there is no such cluster. */
async function liveLogs(runId: string): Promise<Omit<Source, 'ownClocks'>> {
  const docker = await connectEngine(readSettings().engine);
  return openLiveLogs({ docker, clock: createSystemClock(), runId });
}

const chosen = (known: Logs, wanted: ReadonlySet<string>): Logs =>
  wanted.size === 0 ? known : new Map([...known].filter(([member]) => wanted.has(member)));

function refuseUnknown(members: readonly string[], known: Logs): void {
  const missing = members.filter((member) => !known.has(member));
  if (missing.length === 0) return;
  throw new RigError('not_found', `there are no logs of ${missing.join(', ')}`, {
    next: `There are some of ${[...known.keys()].join(', ') || 'nobody'}.`,
  });
}

function parseFilter({ role, volume, trace, level }: LogsFlags): LogFilter {
  const roles: readonly string[] = [...ROLES, 'supervisor'];
  if (role !== undefined && !roles.includes(role)) {
    throw new RigError('invalid', `there is no role '${role}'`, { next: `Give one of ${roles.join(', ')}.` });
  }
  if (level !== undefined && !LOG_LEVELS.includes(level as LogLevel)) {
    throw new RigError('invalid', `there is no level '${level}'`, {
      next: `Give one of ${LOG_LEVELS.join(', ')}.`,
    });
  }
  return { role, volume, trace, level: level as LogLevel | undefined };
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** From all lines to the wall-clock time from which on they are wanted. */
function parseSince(text: string): (records: readonly LogRecord[]) => number {
  const [, count, unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  if (count !== undefined) {
    const lengthMs = Number(count) * (UNITS_MS[unit] ?? 0);
    return (records) => {
      const last = records.at(-1);
      return last === undefined ? 0 : wallMsOf(last) - lengthMs;
    };
  }
  const wallMs = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(wallMs)) return () => wallMs;
  throw new RigError('invalid', `'${text}' is no time`, {
    next: 'Give 30s, 5m, 2h or 2026-01-31T12:00:00Z.',
  });
}

const printJson = (record: LogRecord): void => void process.stdout.write(`${JSON.stringify(record)}\n`);

const printText = (record: LogRecord): void => {
  const withColours = process.stdout.isTTY === true && process.stdout.hasColors();
  process.stdout.write(`${showLog(record, { withColours })}\n`);
};
