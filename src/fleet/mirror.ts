// A simulated cluster that is a copy of a live one: the nodes and volumes by their names, on
// disks that have what the volumes need, in an etcd of its own.

import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { hex, type Random } from '../base/random.ts';
import { gibToBytes } from '../base/units.ts';
import { identityOf, joinCluster } from '../daemon/cluster.ts';
import { createEtcdKv } from '../kv/etcd.ts';
import { CLUSTER_KEY, specKey, volumeKey } from '../kv/keys.ts';
import type { Kv, Write } from '../kv/kv.ts';
import type { NodeSpec } from '../model/node.ts';
import { isHandedOver, moveTaskOf, type Volume } from '../model/volume.ts';
import type { MemoryDisk } from '../storage/memory.ts';
import { type Cluster, checkedCount, newNode } from './cluster.ts';
import { createCluster } from './cluster-file.ts';
import { type DiskFiles, openDiskFiles } from './disk-files.ts';
import { startEtcdBinary } from './etcd-binary.ts';
import type { Source } from './mirror-source.ts';

/** etcd takes 128 writes, and 1.5 MiB, in a transaction. */
const WRITES_AT_ONCE = 32;
const DISK_PER_CAPACITY = 1.25;
const VOLUME_PATH = '/srv/cobalt';

/** The declaration of the copy; `like` says what the source doesn't. Nodes that are away there have no power here. */
export function mirrored(source: Source, like: Cluster): Cluster {
  checkedCount(source.nodes.length);
  return {
    ...like,
    etcd: [],
    nodes: source.nodes.map(({ name, labels, capacityGib, alive }) => ({
      ...newNode(name, like.profile),
      ...{ labels, capacityGib, power: alive ? 'on' : 'off' },
    })),
    devices: [],
  };
}

/** Makes the folder with all that the copy begins with. Throws `conflict` where there is a cluster already. */
export async function writeMirror(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly source: Source;
  readonly cluster: Cluster;
  /** Default: `etcd`, found on the PATH. */
  readonly etcdBinary?: string;
}): Promise<void> {
  const { folder, clock, random, source, cluster, etcdBinary: binary } = options;
  await createCluster(folder, cluster);
  await using etcd = await startEtcdBinary({ clock, folder: join(folder, 'etcd'), binary });
  const kv = createEtcdKv({ endpoints: [etcd.endpoint] });
  try {
    await fillStore(kv, { random, source });
    const { clusterId, revision, kv: stored } = await kv.get(CLUSTER_KEY);
    const identity = identityOf(clusterId, stored);
    if (identity === undefined) throw new RigError('internal', 'the new cluster has no identity');
    const disks = await openDiskFiles(join(folder, 'disks'));
    await fillDisks(disks, { source, random, identity, revision });
  } finally {
    await kv.close();
  }
}

/** As the source has them: who wrote a volume last, and what is under way on it, is part of what is looked into. */
async function fillStore(
  kv: Kv,
  { random, source }: { readonly random: Random; readonly source: Source },
): Promise<void> {
  await joinCluster({ kv, random });
  const specs = source.nodes.map(({ name, labels, capacityGib, draining }): Write => {
    const spec: NodeSpec = { volume_path: VOLUME_PATH, capacity: capacityGib, labels, draining };
    return { kind: 'put', key: specKey(name), value: JSON.stringify(spec) };
  });
  const volumes = source.volumes.map((volume): Write => {
    return { kind: 'put', key: volumeKey(volume.id), value: JSON.stringify(volume) };
  });
  const writes = [...specs, ...volumes];
  for (let from = 0; from < writes.length; from += WRITES_AT_ONCE)
    await kv.transact({ compare: [], writes: writes.slice(from, from + WRITES_AT_ONCE) });
}

/** What was made of each volume is on its node's disk; what it held is nobody's to copy. */
async function fillDisks(
  disks: DiskFiles,
  {
    source,
    random,
    identity,
    revision,
  }: {
    readonly source: Source;
    readonly random: Random;
    readonly identity: string;
    readonly revision: number;
  },
): Promise<void> {
  const byName = new Map<string, MemoryDisk>();
  for (const { name, capacityGib } of source.nodes) {
    const disk = disks.open(name, gibToBytes(capacityGib * DISK_PER_CAPACITY));
    disk.binding = { cluster: identity, node: name, disk: hex(random, 32), mark: 0, revision };
    byName.set(name, disk);
  }
  for (const volume of source.volumes) {
    const disk = volume.node === null ? undefined : byName.get(volume.node);
    if (disk !== undefined) place(volume, disk);
  }
  await Promise.all([...byName.keys()].map((name) => disks.written(name)));
}

function place(volume: Volume, disk: MemoryDisk): void {
  const { id, actual } = volume;
  const content = () => ({
    ...{ usedBytes: 0, files: new Map<string, string>() },
    compression: actual?.compression ?? ('none' as const),
  });
  const name = moveTaskOf(volume)?.copy ?? null;
  // Its new node has all of it, and is yet to make the volume of that.
  if (isHandedOver(volume) && name !== null)
    disk.copies.set(`${id}.${name}`, { id, name, complete: true, content: content() });
  else if (actual !== null)
    disk.subvolumes.set(id, { quotaBytes: gibToBytes(actual.reserved_size), ...content() });
}
