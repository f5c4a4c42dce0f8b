// What commands have in common that change something in a cluster by hand: they are
// alone at it, they know what was injected before, and they end by Ctrl-C.

import { join } from 'node:path';
import { type Clock, createSystemClock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { ROOT_FOLDER } from '../cluster/root.ts';
import { readClusterFile } from '../rig/by-hand/cluster-file.ts';
import { type HandRecord, openHandRecord } from '../rig/by-hand/record.ts';
import { createHandSite } from '../rig/by-hand/site.ts';
import type { Deployment } from '../rig/deployment.ts';
import { attachContainers } from '../rig/docker/attach.ts';
import { ensureImages } from '../rig/docker/images.ts';
import type { Site } from '../rig/faults/fault.ts';
import { COMPOSE_FILE } from '../rig/record-files.ts';
import { nameOf } from './cluster-name.ts';
import { type ChosenCluster, noCluster, readLeader } from './clusters.ts';
import { lockFolder } from './folder-lock.ts';
import { catchInterrupt, type Interrupt } from './interrupt.ts';

export interface Hand {
  readonly cluster: ChosenCluster;
  readonly deployment: Deployment;
  readonly site: Site;
  readonly record: HandRecord;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

interface Needs {
  /** Whether members may have to be made anew; otherwise only their companions. Default: false. */
  readonly makesMembers?: boolean;
  /** Whether the cluster of a run may be touched that has not come to its end. Default: false. */
  readonly alsoUnfinished?: boolean;
  /** What ends it instead of a Ctrl-C: of a process that does more than this. */
  readonly signal?: AbortSignal;
}

/** Throws what `work` does, and `aborted` after a Ctrl-C or when the signal fires. */
export async function byHand<T>(
  cluster: ChosenCluster,
  needs: Needs,
  work: (hand: Hand) => Promise<T>,
): Promise<T> {
  const { docker, folder, runId, label } = cluster;
  const clock = createSystemClock();
  const { topology, isOver } = await readClusterFile(folder).catch((error: unknown) => {
    throw lostFolder(cluster, error);
  });
  if (!isOver && needs.alsoUnfinished !== true) {
    throw new RigError('conflict', `${label} has not come to its end: its own rig is at work in it`, {
      next: 'Wait for it, or start a cluster of your own with rig up.',
    });
  }
  using interrupt = needs.signal === undefined ? onCtrlC() : undefined;
  const signal = needs.signal ?? (interrupt as Interrupt).signal;
  using _lock = await lockFolder({ folder, clock, signal });
  try {
    const images = await ensureImages(docker, {
      root: ROOT_FOLDER,
      onProgress: (line) => void process.stderr.write(`${line}\n`),
      ...(needs.makesMembers !== true && { only: ['links'] }),
    });
    const composeFile = join(folder, COMPOSE_FILE);
    // What is made anew is labelled as it was: Compose takes other labels for another thing.
    const { guard } = cluster;
    const place = { runId, guard, composeFile };
    const deployment = await attachContainers({ docker, clock, images, topology, ...place });
    if (deployment === undefined) throw noCluster(runId, []);
    const record = await openHandRecord(folder, clock);
    const etcd = createEtcdView(cluster);
    const site = createHandSite({ deployment, clock, signal, ...etcd, history: record.history });
    return await work({ cluster, deployment, site, record, clock, signal });
  } catch (error) {
    if (signal.aborted) throw new RigError('aborted', 'interrupted', { cause: error });
    throw error;
  }
}

const onCtrlC = (): Interrupt => catchInterrupt(() => process.stderr.write('\nstopping\n'));

/** The cluster is there, and what it was started from is not. */
function lostFolder({ label, runId }: ChosenCluster, error: unknown): unknown {
  if (!hasCode(error, 'invalid')) return error;
  const name = nameOf(runId);
  const which = name === undefined ? `--run ${runId}` : `--name ${name}`;
  return new RigError('invalid', `nobody knows what '${label}' was started from: ${error.message}`, {
    next: `Bring its folder back, or remove it with rig down ${which}.`,
    cause: error,
  });
}

/** Who leads, and how far etcd's history went when that was last asked. */
function createEtcdView(cluster: ChosenCluster) {
  let revision = 0;
  return {
    leader: async (): Promise<string | undefined> => {
      try {
        const found = await readLeader(cluster);
        revision = found.revision;
        return found.node;
      } catch (error) {
        // A cluster without etcd has members like any other.
        if (hasCode(error, 'unavailable', 'timeout')) return undefined;
        throw error;
      }
    },
    recorded: () => revision,
  };
}
