// `rig volume create` and `clone`.

import type { Command } from 'commander';
import type { Labels } from '../model/names.ts';
import type { Volume } from '../model/volume.ts';
import { callApi } from './api.ts';
import { type ChosenCluster, chooseCluster } from './clusters.ts';
import { parseExport } from './export-rule.ts';
import { parseLabels } from './labels.ts';
import { help } from './output.ts';
import { isReady, parseGib, tellDone, type VolumeFlags, withWait } from './volume-common.ts';
import { volumeNamed } from './volumes-api.ts';

interface OrderFlags extends VolumeFlags {
  readonly size?: number;
  readonly on?: Labels;
  readonly export?: readonly string[];
}

const withOrderOptions = (command: Command): Command =>
  withWait(command)
    .option('--on <labels>', 'only on a node with these labels: disk=ssd,rack=a', parseLabels)
    .option('--export <rule...>', 'who may mount it: see rig volume exports');

export function registerOrders(volume: Command): void {
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
