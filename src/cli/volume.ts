// `rig volume`: the cluster's volumes, by way of its API.

import type { Command } from 'commander';
import { chooseCluster } from './clusters.ts';
import { help, printJson } from './output.ts';
import { registerChanges } from './volume-changes.ts';
import { type VolumeFlags, withVolumeOptions } from './volume-common.ts';
import { registerOrders } from './volume-orders.ts';
import { tellVolume, volumeTable } from './volume-text.ts';
import { listVolumes, volumeNamed } from './volumes-api.ts';

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

function registerReads(volume: Command): void {
  withVolumeOptions(volume.command('list'))
    .description('list the volumes, and where they are')
    .option('--state <state>', 'only those in this state')
    .option('--node <node>', 'only those on this node')
    .addHelpText('after', help(['rig volume list --node node1', 'rig volume list --json']))
    .action(
      async ({
        state,
        node,
        ...flags
      }: VolumeFlags & { readonly state?: string; readonly node?: string }) => {
        const query = { ...(state !== undefined && { state }), ...(node !== undefined && { node }) };
        const volumes = await listVolumes(await chooseCluster(flags), query);
        if (flags.json === true) return printJson(volumes);
        process.stdout.write(volumes.length === 0 ? 'no volumes\n' : volumeTable(volumes));
      },
    );
  withVolumeOptions(volume.command('get'))
    .description('tell all about a volume')
    .argument('<volume>', 'its name or id')
    .addHelpText('after', help(['rig volume get first']))
    .action(async (text: string, flags: VolumeFlags) => {
      const cluster = await chooseCluster(flags);
      tellVolume(await volumeNamed(cluster, text), flags);
    });
}
