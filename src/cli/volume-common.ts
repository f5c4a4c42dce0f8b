// What the subcommands of `rig volume` have in common.

import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import type { Volume } from '../model/volume.ts';
import { type ChosenCluster, type ClusterFlags, withClusterOptions } from './clusters.ts';
import { printJson, printLine } from './output.ts';
import { tellVolume } from './volume-text.ts';
import { listVolumes, untilVolume } from './volumes-api.ts';

export interface VolumeFlags extends ClusterFlags {
  readonly json?: boolean;
  readonly wait: boolean;
}

export const withVolumeOptions = (command: Command): Command =>
  withClusterOptions(command).option('--json', 'print the volume as the API shows it');

export const withWait = (command: Command): Command =>
  withVolumeOptions(command).option('--no-wait', 'come back when it is ordered, not when it is done');

/** Tells of the volume once that holds, or at once where nobody waits. */
export async function tellDone(
  cluster: ChosenCluster,
  { id, name }: Pick<Volume, 'id' | 'name'>,
  {
    flags,
    what,
    holds,
  }: {
    readonly flags: VolumeFlags;
    readonly what: string;
    readonly holds: (seen: Volume | undefined) => boolean;
  },
): Promise<void> {
  const volume = flags.wait
    ? await untilVolume(cluster, id, { what, holds })
    : await orderedVolume(cluster, id);
  if (volume !== undefined) return tellVolume(volume, flags);
  if (flags.json === true) return printJson(null);
  printLine(`${name} (${id}) is gone`);
}

const orderedVolume = async (cluster: ChosenCluster, id: string): Promise<Volume | undefined> =>
  (await listVolumes(cluster)).find((volume) => volume.id === id);

export const isReady = (volume: Volume | undefined): boolean => volume?.state === 'ready';

/** Throws `invalid` for what is no size. */
export function parseGib(text: string): number {
  const size = Number(text);
  if (/^[0-9]+(\.[0-9]+)?$/.test(text) && size > 0) return size;
  throw new RigError('invalid', `'${text}' is no size`, { next: 'Give GiB, such as 1 or 0.5.' });
}
