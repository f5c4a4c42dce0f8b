// `rig volume resize`, `exports`, `move` and `delete`.

import type { Command } from 'commander';
import { type ExportRule, sameRules } from '../model/export.ts';
import type { Volume } from '../model/volume.ts';
import { callApi } from './api.ts';
import { type ChosenCluster, chooseCluster } from './clusters.ts';
import { parseExport } from './export-rule.ts';
import { help } from './output.ts';
import { isReady, parseGib, tellDone, type VolumeFlags, withWait } from './volume-common.ts';
import { tellVolume } from './volume-text.ts';
import { volumeNamed } from './volumes-api.ts';

export function registerChanges(volume: Command): void {
  withWait(volume.command('resize'))
    .description('give a volume another size')
    .argument('<volume>', 'its name or id')
    .argument('<gib>', 'GiB', parseGib)
    .addHelpText('after', help(['rig volume resize first 2']))
    .action(async (text: string, size: number, flags: VolumeFlags) =>
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
    .action(async (text: string, rules: readonly string[], flags: VolumeFlags) => {
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
    .action(async (text: string, node: string | undefined, flags: VolumeFlags) =>
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
    .action(async (text: string, flags: VolumeFlags) =>
      change(await chooseCluster(flags), text, {
        flags,
        call: { method: 'DELETE', path: '' },
        what: 'gone',
        holds: (seen) => seen === undefined,
      }),
    );
}

interface Change {
  readonly flags: VolumeFlags;
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
