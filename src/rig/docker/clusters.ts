// The clusters that are on an engine now, whoever started them, by their labels.

import { dirname } from 'node:path';
import type Docker from 'dockerode';
import { GUARD_LABEL, RUN_LABEL } from '../compose/render.ts';
import type { ContainerState } from '../deployment.ts';
import { engine } from './containers.ts';

const SERVICE_LABEL = 'com.docker.compose.service';
/** Absolute paths, as Compose was told them. */
const FILES_LABEL = 'com.docker.compose.project.config_files';

export interface FoundMember {
  /** By its name in the topology. */
  readonly name: string;
  readonly container: string;
  readonly state: ContainerState;
  /** Ports of 127.0.0.1 by the container's own. */
  readonly ports: ReadonlyMap<number, number>;
  /** On the cluster's own network; undefined while it doesn't run. */
  readonly address: string | undefined;
}

export interface FoundCluster {
  readonly runId: string;
  /** Where its compose file is, on the machine that started it. */
  readonly folder: string;
  /** The reaper that guards it, or did until it was kept; undefined where no label names one. */
  readonly guard?: string | undefined;
  /** By name. */
  readonly members: readonly FoundMember[];
}

/** Where the compose file lies that a container was made from; undefined for what Compose has not made. */
export function folderIn(labels: Readonly<Record<string, string>>): string | undefined {
  const [file] = labels[FILES_LABEL]?.split(',') ?? [];
  return file === undefined ? undefined : dirname(file);
}

/** By run id. Throws `machine` when the engine doesn't tell. */
export async function listClusters(docker: Docker): Promise<readonly FoundCluster[]> {
  const filters = { label: [RUN_LABEL, SERVICE_LABEL] };
  const all = await engine('list clusters', () => docker.listContainers({ all: true, filters }));
  const byRun = new Map<string, Omit<FoundCluster, 'runId' | 'members'> & { members: FoundMember[] }>();
  for (const { Id, Labels, State, Ports, NetworkSettings } of all) {
    const runId = Labels[RUN_LABEL] ?? '';
    const folder = folderIn(Labels) ?? '.';
    const cluster = byRun.get(runId) ?? { folder, guard: Labels[GUARD_LABEL], members: [] };
    byRun.set(runId, cluster);
    cluster.members.push({
      name: Labels[SERVICE_LABEL] ?? '',
      container: Id,
      state: stateOf(State),
      ports: new Map(
        Ports.flatMap(({ PrivatePort, PublicPort }) =>
          PublicPort ? [[PrivatePort, PublicPort] as const] : [],
        ),
      ),
      address: Object.values(NetworkSettings.Networks)[0]?.IPAddress || undefined,
    });
  }
  return [...byRun]
    .map(([runId, { folder, guard, members }]) => ({
      runId,
      folder,
      guard,
      members: members.sort((a, b) => (a.name < b.name ? -1 : 1)),
    }))
    .sort((a, b) => (a.runId < b.runId ? -1 : 1));
}

/** In the engine's words: created, restarting, running, removing, paused, exited, dead. */
function stateOf(word: string): ContainerState {
  if (word === 'running' || word === 'paused' || word === 'created') return word;
  return 'exited';
}
