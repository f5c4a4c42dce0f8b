// `rig etcd`: what a cluster keeps in etcd, now, as it changes, and as it has changed.

import type { Command } from 'commander';
import { ROOT } from '../kv/keys.ts';
import type { Kv, WatchEvent } from '../kv/kv.ts';
import { redactedEtcdEvent } from '../rig/redact.ts';
import { changesBetween } from '../rig/report/value-changes.ts';
import { type ClusterFlags, chooseCluster, openEtcd, withClusterOptions } from './clusters.ts';
import { coloured } from './colour.ts';
import { historyOf } from './etcd-history.ts';
import { fitted } from './fitted.ts';
import { catchInterrupt } from './interrupt.ts';
import { whenUnread } from './lost-output.ts';
import { help, printJson, printLine } from './output.ts';

interface Flags extends ClusterFlags {
  readonly json?: boolean;
}

const WHAT = `key, or what keys begin with; below ${ROOT}, unless it begins with /`;
const EVENT = '{"revision", "kind": "put" or "delete", "key", "value"?, "lease"?}';

export function registerEtcd(program: Command): void {
  const etcd = program
    .command('etcd')
    .addHelpText(
      'after',
      help([
        'rig etcd get',
        'rig etcd watch volumes/',
        'rig etcd history engine/leader',
        'rig etcd history volumes/ --json',
      ]),
    );
  const sub = (name: string, description: string): Command =>
    withClusterOptions(etcd.command(name).description(description).argument('[key]', WHAT, ''));
  sub('get', 'print keys with their values')
    .option('--json', 'print them as JSON')
    .addHelpText(
      'after',
      help(
        ['rig etcd get', 'rig etcd get nodes/'],
        '[{"key", "value", "revision", "created", "version", "lease"}]',
      ),
    )
    .action((key: string, flags: Flags) => withEtcd(flags, (kv) => get(kv, prefixOf(key), flags)));
  sub('watch', 'print changes as they are committed, until Ctrl-C')
    .option('--json', 'print them as JSON, one a line')
    .addHelpText(
      'after',
      help(['rig etcd watch', 'rig etcd watch engine/leader --json'], `${EVENT}, a line each`),
    )
    .action((key: string, flags: Flags) => withEtcd(flags, (kv) => watch(kv, prefixOf(key), flags)));
  sub('history', 'print every change that etcd still knows of')
    .option('--json', 'print them as JSON')
    .addHelpText(
      'after',
      help(
        ['rig etcd history engine/leader', 'rig etcd history volumes/'],
        `{"from": revision, "to": revision, "events": [${EVENT}]}`,
      ),
    )
    .action((key: string, flags: Flags) => withEtcd(flags, (kv) => history(kv, prefixOf(key), flags)));
}

const prefixOf = (key: string): string => (key.startsWith('/') ? key : `${ROOT}${key}`);

async function withEtcd(flags: Flags, work: (kv: Kv) => Promise<void>): Promise<void> {
  const kv = openEtcd(await chooseCluster(flags));
  try {
    await work(kv);
  } finally {
    await kv.close();
  }
}

async function get(kv: Kv, prefix: string, { json }: Flags): Promise<void> {
  const { kvs } = await kv.list(prefix);
  const found = kvs.map(({ key, value, modRevision, createRevision, version, lease }) => ({
    key,
    value: readValue(key, value),
    revision: modRevision,
    created: createRevision,
    version,
    lease,
  }));
  if (json === true) return printJson(found);
  if (found.length === 0) process.stdout.write(`no keys below ${prefix}\n`);
  for (const { key, value, revision, lease } of found) {
    const notes = `revision ${revision}${lease === '0' ? '' : ', with a lease'}`;
    process.stdout.write(`${coloured('strong', key)}\n${fitted(`  ${notes}`, '    ')}\n`);
    process.stdout.write(`${fitted(`  ${shown(value)}`, '    ')}\n`);
  }
}

async function watch(kv: Kv, prefix: string, { json }: Flags): Promise<void> {
  const { revision } = await kv.list(prefix, { limit: 1 });
  using interrupt = catchInterrupt(() => undefined);
  const signal = AbortSignal.any([interrupt.signal, whenUnread()]);
  process.stderr.write(`watching ${prefix} from revision ${revision + 1}; Ctrl-C ends it\n`);
  try {
    for await (const { events } of kv.watch({ prefix, fromRevision: revision + 1, previous: true, signal })) {
      for (const event of events) {
        if (json === true) process.stdout.write(`${JSON.stringify(toldOf(event))}\n`);
        else tell(event);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function history(kv: Kv, prefix: string, { json }: Flags): Promise<void> {
  const { from, to, events } = await historyOf(kv, prefix);
  if (json === true) return printJson({ from, to, events: events.map(toldOf) });
  for (const event of events) tell(event);
  const before = from > 1 ? `; what was before revision ${from} is compacted away` : '';
  printLine(
    `${events.length} change${events.length === 1 ? '' : 's'} below ${prefix} up to revision ${to}${before}`,
  );
}

function toldOf(event: WatchEvent) {
  if (event.kind === 'delete') return { revision: event.modRevision, kind: event.kind, key: event.key };
  const { key, value, modRevision, lease } = event.kv;
  const told = { revision: modRevision, kind: event.kind, key, value: readValue(key, value) };
  return lease === '0' ? told : { ...told, lease };
}

/** What became of the key, and of each field of its value. */
function tell(event: WatchEvent): void {
  const { revision, kind, key, value } = { value: undefined, ...toldOf(event) };
  const { previous } = event;
  const did =
    kind === 'delete' ? 'deleted' : event.kind === 'put' && event.kv.version === 1 ? 'created' : 'changed';
  const style = did === 'deleted' ? 'bad' : did === 'created' ? 'good' : 'doubtful';
  process.stdout.write(`${revision} ${coloured(style, did)} ${key}\n`);
  if (kind === 'delete') return;
  const lines =
    previous === undefined ? [shown(value)] : changesBetween(readValue(key, previous.value), value);
  for (const line of lines) process.stdout.write(`${fitted(`  ${line}`, '    ')}\n`);
}

/** Parsed where it is JSON, and without secrets. */
function readValue(key: string, value: string): unknown {
  const redacted = redactedEtcdEvent({ atMs: 0, revision: 0, kind: 'put', key, value }).value ?? '';
  try {
    return JSON.parse(redacted);
  } catch {
    return redacted;
  }
}

/** With spaces where a line may be broken. */
const shown = (value: unknown): string => JSON.stringify(value, undefined, 1).replaceAll(/\n\s*/g, ' ');
