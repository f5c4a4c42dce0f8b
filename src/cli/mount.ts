// `rig mount`, `mounts` and `unmount`: volumes in a consumer, by a kernel's NFS client.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import type { Volume } from '../model/volume.ts';
import { API_PORT } from '../rig/compose/node-environment.ts';
import { DEFAULT_MOUNT_OPTIONS, type MountedBy, type MountState } from '../rig/consumer/mount-protocol.ts';
import { CONSUMER_PORT } from '../rig/consumer/protocol.ts';
import type { FoundMember } from '../rig/docker/clusters.ts';
import { startHostMounter } from '../rig/docker/host-mounts.ts';
import { fetchHttp } from '../rig/http.ts';
import { createMountClient, type MountClient } from '../rig/mount-client.ts';
import {
  type ChosenCluster,
  type ClusterFlags,
  chooseCluster,
  urlOf,
  withClusterOptions,
} from './clusters.ts';
import { requireExport } from './export-rule.ts';
import { fitted } from './fitted.ts';
import { help, printJson } from './output.ts';
import { table } from './table.ts';
import { listVolumes, volumeNamed } from './volumes-api.ts';

interface MountFlags extends ClusterFlags {
  readonly consumer?: string;
  readonly json?: boolean;
}

/** What people run where a volume is mounted. */
const RUNS_WITHIN_MS = 120_000;

const withConsumer = (command: Command): Command =>
  withClusterOptions(command)
    .option('--consumer <consumer>', 'which one, by its name or number (default: the first)')
    .option('--json', 'print what it came to as JSON');

export function registerMount(program: Command): void {
  withConsumer(program.command('mount'))
    .argument('<volume>', 'its name or id; it has to be exported to the consumer')
    .argument('[command...]', 'what to run where it is mounted; after -- where it has options')
    .option('--at <folder>', 'a folder below /mnt (default: /mnt/<name of the volume>)')
    .option(
      '--options <options>',
      'of mount(8); soft,timeo=50 gives up on a node that is away, for which hard waits',
      DEFAULT_MOUNT_OPTIONS,
    )
    .addHelpText(
      'after',
      help(
        [
          'rig mount first',
          'rig mount first --consumer consumer2 --at /mnt/there --options soft,timeo=50',
          "rig mount first -- sh -c 'echo hello > /mnt/first/greeting'",
          'rig mount first -- cat /mnt/first/greeting',
        ],
        '{"volume", "at", "server", "options", "by"}, and with a command {"exitCode", "stdout", "stderr"}',
        "The consumer then follows the cluster's events: it unmounts what it may not use any more, and mounts anew what has moved; rig logs has what it did. With a command, exits with what that exits with.",
      ),
    )
    .action(
      async (
        text: string,
        command: readonly string[],
        flags: MountFlags & { readonly at?: string; readonly options: string },
      ) => {
        const cluster = await chooseCluster(flags);
        const volume = await volumeNamed(cluster, text);
        const consumer = consumerOf(cluster, flags.consumer);
        const mounts = clientOf(consumer);
        const mount = await ensureMounted({ ...flags, cluster, volume, consumer, mounts });
        const waits = waitsFor(cluster, mount);
        if (waits !== undefined) process.stderr.write(`${waits}\n`);
        if (command.length === 0) {
          if (flags.json === true) return printJson(mount);
          process.stdout.write(`${fitted(sentenceOf(volume, consumer, mount), '  ')}\n`);
          return;
        }
        const result = await mounts.run({ command: [...command], timeoutMs: RUNS_WITHIN_MS });
        if (flags.json === true) printJson({ ...mount, ...result });
        else {
          process.stdout.write(result.stdout);
          process.stderr.write(result.stderr);
        }
        process.exitCode = result.exitCode;
      },
    );
}

export function registerMounts(program: Command): void {
  withClusterOptions(program.command('mounts'))
    .option('--json', 'print them as JSON')
    .addHelpText(
      'after',
      help(['rig mounts', 'rig mounts --json'], '[{"consumer", "volume", "at", "server", "options", "by"}]'),
    )
    .action(async (flags: MountFlags) => {
      const cluster = await chooseCluster(flags);
      const running = consumersOf(cluster).filter(({ state }) => state === 'running');
      const lists = await Promise.all(
        running.map(async (consumer) => {
          const found = await clientOf(consumer).list();
          return found.map((mount) => ({ consumer: consumer.name, ...mount }));
        }),
      );
      const all = lists.flat();
      if (flags.json === true) return printJson(all);
      if (all.length === 0) return void process.stdout.write('nothing is mounted\n');
      const names = new Map((await listVolumes(cluster)).map(({ id, name }) => [id, name]));
      const rows = all.map(({ consumer, volume, at, server, options, by }) => [
        ...[consumer, at, names.get(volume) ?? volume, server ?? 'nowhere: it was told to unmount it'],
        ...[options, by],
      ]);
      process.stdout.write(
        table({ heads: ['consumer', 'folder', 'volume', 'from', 'options', 'kernel'], rows }),
      );
      for (const by of new Set(all.map((mount) => mount.by)))
        if (by !== 'host') process.stdout.write(`${fitted(`${by}: ${KERNELS[by]}`, '  ')}\n`);
    });
}

export function registerUnmount(program: Command): void {
  withConsumer(program.command('unmount'))
    .argument('<volume>', 'its name or id')
    .addHelpText(
      'after',
      help(['rig unmount first', 'rig unmount first --consumer 2'], '{"volume", "at", "server": null}'),
    )
    .action(async (text: string, flags: MountFlags) => {
      const cluster = await chooseCluster(flags);
      const volume = await volumeNamed(cluster, text);
      const consumer = consumerOf(cluster, flags.consumer);
      const mount = await clientOf(consumer).unmount(volume.id);
      if (flags.json === true) return printJson(mount);
      process.stdout.write(`unmounted ${volume.name} (${volume.id}) from ${mount.at} of ${consumer.name}\n`);
    });
}

const clientOf = (consumer: FoundMember): MountClient =>
  createMountClient({
    fetch: fetchHttp,
    url: async () => urlOf(consumer, CONSUMER_PORT),
    consumer: consumer.name,
  });

/** Those that answer as consumers do; one that is down has no ports, and is known by what nodes and etcd are called. */
const consumersOf = ({ members }: ChosenCluster): readonly FoundMember[] =>
  members.filter(({ ports }) => ports.has(CONSUMER_PORT));

/** By its name, or its place among them from 1. Throws `not_found` with what there is. */
function consumerOf(cluster: ChosenCluster, text = '1'): FoundMember {
  const all = consumersOf(cluster);
  const found =
    all.find(({ name }) => name === text) ?? (/^[1-9]\d*$/.test(text) ? all[Number(text) - 1] : undefined);
  if (found !== undefined) return found;
  const names = all.map(({ name }) => name).join(', ');
  throw new RigError('not_found', `cluster '${cluster.label}' has no consumer '${text}' that runs`, {
    next: names === '' ? 'Start one, or a cluster whose topology has consumers.' : `Choose one of ${names}.`,
  });
}

/** A moment after a move a consumer may not have heard of it, or be about to mount the volume from its new node. */
const FOLLOWS_WITHIN_MS = 15_000;

async function followed(options: {
  readonly volume: Volume;
  readonly consumer: FoundMember;
  readonly mounts: MountClient;
}): Promise<MountState> {
  const { volume, consumer, mounts } = options;
  let seen: MountState | undefined;
  return waitFor({
    clock: createSystemClock(),
    what: `${consumer.name} to mount ${volume.name} from ${volume.node}`,
    timeoutMs: FOLLOWS_WITHIN_MS,
    probe: async () => {
      seen = (await mounts.list()).find((mount) => mount.volume === volume.id);
      return seen?.server === volume.node ? seen : undefined;
    },
    describe: () =>
      seen === undefined ? 'it is not mounted' : `it is mounted from ${seen.server ?? 'nowhere'}`,
  });
}

/** As it is, where it is mounted so already. */
async function ensureMounted(options: {
  readonly cluster: ChosenCluster;
  readonly volume: Volume;
  readonly consumer: FoundMember;
  readonly mounts: MountClient;
  readonly at?: string;
  readonly options: string;
}): Promise<MountState> {
  const { cluster, volume, consumer, mounts, at = `/mnt/${volume.name}` } = options;
  requireExport(cluster, volume, consumer);
  const before = await mounts.list();
  const found = before.find((mount) => mount.volume === volume.id && mount.server !== null);
  if (found !== undefined && (options.at === undefined || found.at === at)) {
    return found.server === volume.node ? found : followed(options);
  }
  if (volume.node === null) throw new RigError('unavailable', `${volume.name} is on no node now`);
  const isByHost = await startHostMounter({
    docker: cluster.docker,
    clock: createSystemClock(),
    container: consumer.container,
    runId: cluster.runId,
  });
  // Only the first mount starts it, and that takes seconds in which nothing would be seen to happen.
  if (!isByHost && before.length === 0) process.stderr.write(`${waitLine(consumer)}\n`);
  const nodes = cluster.members.filter(({ ports }) => ports.has(API_PORT)).map(({ name }) => name);
  try {
    const request = { volume: volume.id, server: volume.node, at, options: options.options, follow: nodes };
    return await mounts.mount(request);
  } catch (error) {
    if (!hasCode(error, 'io')) throw error;
    throw new RigError('io', error.message, {
      next: `Look at what its node says of it: rig logs ${volume.node}.`,
      cause: error,
    });
  }
}

/** Of a hard mount, whose server is away, nothing would be heard until it is back. Undefined while it is there. */
export const waitsFor = (
  { members }: { readonly members: readonly Pick<FoundMember, 'name' | 'state'>[] },
  { at, server }: Pick<MountState, 'at' | 'server'>,
): string | undefined => {
  const state = members.find(({ name }) => name === server)?.state ?? 'absent';
  if (server === null || state === 'running') return undefined;
  return fitted(
    `${server} is ${state}: what uses ${at} waits until it is back (rig heal), unless it is mounted with --options soft`,
    '  ',
    process.stderr.columns,
  );
};

const WHY = "the host's kernel has no NFS client";

const KERNELS: Readonly<Record<MountedBy, string>> = {
  host: "the host's kernel",
  'vm (kvm)': `a small virtual machine in the consumer, by KVM, for ${WHY}`,
  'vm (tcg)': `a small virtual machine in the consumer, in software (TCG) since KVM does not work here, for ${WHY}`,
};

const waitLine = ({ name }: FoundMember): string =>
  fitted(
    `${name} starts a small virtual machine to mount by, for ${WHY}: a second or two, once`,
    '  ',
    process.stderr.columns,
  );

const sentenceOf = (volume: Volume, consumer: FoundMember, { at, server, by }: MountState): string =>
  `${volume.name} (${volume.id}) is mounted at ${at} of ${consumer.name}, from ${server}, by ${KERNELS[by]}`;
