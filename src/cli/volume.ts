// `rig volume`: the cluster's volumes, by way of its API.

import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { type ExportRule, sameRules } from '../model/export.ts';
import type { Labels } from '../model/names.ts';
import type { Volume } from '../model/volume.ts';
import { callApi } from './api.ts';
import { type ChosenCluster, type ClusterFlags, chooseCluster, withClusterOptions } from './clusters.ts';
import { parseExport } from './export-rule.ts';
import { parseLabels } from './labels.ts';
import { help, printJson } from './output.ts';
import { tellVolume, volumeTable } from './volume-text.ts';
import { listVolumes, untilVolume, volumeNamed } from './volumes-api.ts';

interface Flags extends ClusterFlags {
  readonly json?: boolean;
  readonly wait: boolean;
}

const SHAPE = 'as the API has it at /openapi.json';

export function registerVolume(program: Command): void {
  const volume = program
    .command('volume')
    .addHelpText(
      'after',
      help(['rig volume create first --size 1', 'rig volume list', 'rig volume move first node2'], SHAPE),
    );
  registerReads(volume);
  registerOrders(volume);
  registerChanges(volume);
}

const withOptions = (command: Command): Command =>
  withClusterOptions(command).option('--json', 'print the volume as the API shows it');

const withWait = (command: Command): Command =>
  withOptions(command).option('--no-wait', 'come back when it is ordered, not when it is done');

function registerReads(volume: Command): void {
  withOptions(volume.command('list'))
    .description('list the volumes, and where they are')
    .option('--state <state>', 'only those in this state')
    .option('--node <node>', 'only those on this node')
    .addHelpText('after', help(['rig volume list --node node1', 'rig volume list --json']))
    .action(
      async ({ state, node, ...flags }: Flags & { readonly state?: string; readonly node?: string }) => {
        const query = { ...(state !== undefined && { state }), ...(node !== undefined && { node }) };
        const volumes = await listVolumes(await chooseCluster(flags), query);
        if (flags.json === true) return printJson(volumes);
        process.stdout.write(volumes.length === 0 ? 'no volumes\n' : volumeTable(volumes));
      },
    );
  withOptions(volume.command('get'))
    .description('tell all about a volume')
    .argument('<volume>', 'its name or id')
    .addHelpText('after', help(['rig volume get first']))
    .action(async (text: string, flags: Flags) => {
      const cluster = await chooseCluster(flags);
      tellVolume(await volumeNamed(cluster, text), flags);
    });
}

interface OrderFlags extends Flags {
  readonly size?: number;
  readonly on?: Labels;
  readonly export?: readonly string[];
}

const withOrderOptions = (command: Command): Command =>
  withWait(command)
    .option('--on <labels>', 'only on a node with these labels: disk=ssd,rack=a', parseLabels)
    .option('--export <rule...>', 'who may mount it: see rig volume exports');

function registerOrders(volume: Command): void {
  withOrderOptions(volume.command('create'))
    .description('order a volume, and wait until it is ready')
    .argument('<volume>', 'its name')
    .option('--size <gib>', 'GiB', parseGib, 1)
    .addHelpText(
      'after',
      help([
        'rig volume create first',
        'rig volume create fast --size 0.5 --on disk=ssd --export consumer1=rw',
      ]),
    )
    .action(async (name: string, flags: OrderFlags) => order(await chooseCluster(flags), { name }, flags));
  withOrderOptions(volume.command('clone'))
    .description('order a clone of a volume, and wait until it is ready')
    .argument('<volume>', 'name or id of the parent')
    .argument('<name>', 'name of the clone')
    .option('--size <gib>', "GiB (default: the parent's)", parseGib)
    .addHelpText('after', help(['rig volume clone first second']))
    .action(async (parent: string, name: string, flags: OrderFlags) => {
      const cluster = await chooseCluster(flags);
      const { id, requested } = await volumeNamed(cluster, parent);
      await order(cluster, { name, id }, { ...flags, size: flags.size ?? requested.reserved_size });
    });
}

async function order(
  cluster: ChosenCluster,
  named: { readonly name: string; readonly id?: string },
  flags: OrderFlags,
): Promise<void> {
  const { size, on, export: rules } = flags;
  const exports = (rules ?? []).map((rule) => parseExport(cluster, rule));
  const requested = { reserved_size: size, ...(on !== undefined && { constraints: on }) };
  const { body } = await callApi(cluster, {
    method: 'POST',
    path: '/volumes',
    body: { ...named, requested, exports },
  });
  await tellDone(cluster, body as Volume, { flags, what: 'ready', holds: isReady });
}

function registerChanges(volume: Command): void {
  withWait(volume.command('resize'))
    .description('give a volume another size')
    .argument('<volume>', 'its name or id')
    .argument('<gib>', 'GiB', parseGib)
    .addHelpText('after', help(['rig volume resize first 2']))
    .action(async (text: string, size: number, flags: Flags) =>
      change(await chooseCluster(flags), text, {
        flags,
        call: { method: 'PUT', path: '', body: { requested: { reserved_size: size } } },
        what: `${size} GiB large`,
        holds: (seen) => isReady(seen) && seen?.actual?.reserved_size === size,
      }),
    );
  withWait(volume.command('exports'))
    .description('say who may mount a volume, in the place of who might before')
    .argument('<volume>', 'its name or id')
    .argument(
      '[rule...]',
      '<host>=<rw or ro>[,<squash: none, root or all>]; a host is an address, a CIDR or a consumer; nobody when left out',
    )
    .addHelpText(
      'after',
      help([
        'rig volume exports first consumer1=rw',
        'rig volume exports first 10.0.0.0/8=ro,all',
        'rig volume exports first',
      ]),
    )
    .action(async (text: string, rules: readonly string[], flags: Flags) => {
      const cluster = await chooseCluster(flags);
      const exports: readonly ExportRule[] = rules.map((rule) => parseExport(cluster, rule));
      await change(cluster, text, {
        flags,
        call: { method: 'PUT', path: '/exports', body: { exports } },
        what: 'exported so',
        holds: (seen) => isReady(seen) && sameRules(seen?.actual?.exports ?? [], exports),
      });
    });
  withWait(volume.command('move'))
    .description('move a volume to another node')
    .argument('<volume>', 'its name or id')
    .argument('[node]', 'where to; the engine chooses when it is left out')
    .addHelpText('after', help(['rig volume move first', 'rig volume move first node2']))
    .action(async (text: string, node: string | undefined, flags: Flags) =>
      change(await chooseCluster(flags), text, {
        flags,
        call: { method: 'POST', path: '/move', body: node === undefined ? {} : { node } },
        what: `on ${node ?? 'another node'}`,
        holds: (seen, before) => isReady(seen) && seen?.node !== before.node,
      }),
    );
  withWait(volume.command('delete'))
    .description('delete a volume, by way of the trash')
    .argument('<volume>', 'its name or id')
    .addHelpText('after', help(['rig volume delete first']))
    .action(async (text: string, flags: Flags) =>
      change(await chooseCluster(flags), text, {
        flags,
        call: { method: 'DELETE', path: '' },
        what: 'gone',
        holds: (seen) => seen === undefined,
      }),
    );
}

interface Change {
  readonly flags: Flags;
  /** The path is below that of the volume. */
  readonly call: {
    readonly method: 'PUT' | 'POST' | 'DELETE';
    readonly path: string;
    readonly body?: unknown;
  };
  readonly what: string;
  readonly holds: (seen: Volume | undefined, before: Volume) => boolean;
}

async function change(
  cluster: ChosenCluster,
  text: string,
  { flags, call, what, holds }: Change,
): Promise<void> {
  const before = await volumeNamed(cluster, text);
  const { status } = await callApi(cluster, { ...call, path: `/volumes/${before.id}${call.path}` });
  if (status === 304) {
    if (flags.json !== true) process.stdout.write('nothing to do: it is so already\n');
    return tellVolume(before, flags);
  }
  await tellDone(cluster, before, { flags, what, holds: (seen) => holds(seen, before) });
}

async function tellDone(
  cluster: ChosenCluster,
  { id, name }: Pick<Volume, 'id' | 'name'>,
  {
    flags,
    what,
    holds,
  }: { readonly flags: Flags; readonly what: string; readonly holds: (seen: Volume | undefined) => boolean },
): Promise<void> {
  const volume = flags.wait
    ? await untilVolume(cluster, id, { what, holds })
    : await orderedVolume(cluster, id);
  if (volume !== undefined) return tellVolume(volume, flags);
  if (flags.json === true) return printJson(null);
  process.stdout.write(`${name} (${id}) is gone\n`);
}

const orderedVolume = async (cluster: ChosenCluster, id: string): Promise<Volume | undefined> =>
  (await listVolumes(cluster)).find((volume) => volume.id === id);

const isReady = (volume: Volume | undefined): boolean => volume?.state === 'ready';

function parseGib(text: string): number {
  const size = Number(text);
  if (/^[0-9]+(\.[0-9]+)?$/.test(text) && size > 0) return size;
  throw new RigError('invalid', `'${text}' is no size`, { next: 'Give GiB, such as 1 or 0.5.' });
}
