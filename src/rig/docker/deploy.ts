// A cluster in containers: renders the compose file, brings it up, and hands
// out the deployment.

import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import { makeFolder } from '../../base/make-folder.ts';
import { API_PORT, ETCD_PORT } from '../compose/node-environment.ts';
import { renderCompose } from '../compose/render.ts';
import { CONSUMER_PORT } from '../consumer/protocol.ts';
import type { Deployment } from '../deployment.ts';
import { fetchHttp } from '../http.ts';
import { allMembers, etcdMembers, presentNodes, type Topology, withNode, withoutNode } from '../topology.ts';
import { actOnContainer, actOnRole, pidsOf } from './acts.ts';
import { createClocks } from './clocks.ts';
import { type ComposeProject, compose } from './compose-cli.ts';
import { type Containers, createContainers, engine } from './containers.ts';
import { createDisks } from './disks.ts';
import { createFailpointSwitches } from './failpoint-switches.ts';
import { followLogs } from './follow-logs.ts';
import { startHostMounter } from './host-mounts.ts';
import type { ImageSet } from './images.ts';
import { inventoryOf } from './inventory.ts';
import { createLinks } from './links.ts';
import { createLogKeeper } from './log-keeper.ts';
import { createMemory } from './memory.ts';
import { removeRun, removeWhatComes, runLabel } from './removal.ts';
import { createSidecars } from './sidecars.ts';
import { createStore } from './store.ts';

export interface DeployOptions {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly images: ImageSet;
  readonly topology: Topology;
  readonly runId: string;
  /** The reaper that removes it should the rig that started it die, by its id; undefined where nobody knows. */
  readonly guard: string | undefined;
  /** Where the compose file is written. */
  readonly composeFile: string;
  /**
   * Whether the engine asks the members for their health, by a command in each, once a second. A pause that meets the
   * start of one hangs, and the container with it (command-starts.ts). Default: true.
   */
  readonly healthchecks?: boolean;
  /** Members that are created but not started. */
  readonly absentAtStart?: readonly string[];
  readonly signal?: AbortSignal;
  /** Told when nothing is left of the cluster, or when it is to stay. */
  readonly onEnd: () => void;
}

export const projectOf = (runId: string): string => `cobalt-${runId}`;

/**
 * Resolves when every container was started (readiness is the caller's to
 * await). When that fails, whatever was started is removed before it throws.
 */
export async function deployContainers(options: DeployOptions): Promise<Deployment> {
  const { docker, clock, topology, runId, composeFile, signal } = options;
  const project: ComposeProject = { project: projectOf(runId), file: composeFile };
  makeFolder(dirname(composeFile));
  await writeFile(composeFile, render(options, topology));
  const containers = createContainers(docker, clock, project.project);
  const deployment = createDeployment({ ...options, project, containers });
  try {
    const absent = options.absentAtStart ?? [];
    const cancel = signal && { signal };
    if (absent.length > 0) {
      await compose(project, ['create'], cancel);
      const present = membersOf(topology).filter((member) => !absent.includes(member));
      await compose(project, ['start', ...present], cancel);
    } else {
      await compose(project, ['up', '--detach'], cancel);
    }
  } catch (error) {
    await deployment.teardown().catch(() => undefined);
    await removeWhatComes({ docker, clock, runId });
    throw error;
  }
  return deployment;
}

/**
 * Whatever goes wrong later takes down what has this label: a cluster that is there already has to be refused before
 * anything of the new one, or its reaper, is made. Throws `conflict`.
 */
export async function refuseExisting(docker: Docker, runId: string): Promise<void> {
  const filters = { label: [runLabel(runId)] };
  const found = await engine('list containers', () => docker.listContainers({ all: true, filters }));
  if (found.length === 0) return;
  throw new RigError('conflict', `there is a cluster '${runId}' already, of ${found.length} containers`, {
    next: 'Use it, remove it with rig down, or choose another name.',
  });
}

/** Those that are started with the cluster. */
export function membersOf(topology: Topology): readonly string[] {
  return [
    ...etcdMembers(topology),
    ...presentNodes(topology).map((node) => node.name),
    ...topology.consumers,
  ];
}

function render(options: DeployOptions, topology: Topology, rejoining: readonly string[] = []): string {
  const { runId, guard, images, healthchecks = true } = options;
  return renderCompose({
    topology,
    project: projectOf(runId),
    runId,
    ...(guard !== undefined && { guard }),
    images,
    rejoining,
    healthchecks,
  });
}

export function createDeployment(
  options: DeployOptions & { readonly project: ComposeProject; readonly containers: Containers },
): Deployment {
  const { docker, clock, runId, project, containers } = options;
  let topology = options.topology;
  const rejoining = new Set<string>();
  const links = createLinks({
    sidecars: createSidecars({
      docker,
      clock,
      containers,
      image: options.images.links,
      project: project.project,
      runId,
    }),
    members: () => allMembers(topology),
  });

  const url = async (member: string, port: number): Promise<string> =>
    `http://127.0.0.1:${await containers.publishedPort(member, port)}`;

  const api = (node: string): Promise<string> => url(node, API_PORT);
  const disks = createDisks({ containers, topology: () => topology });
  const clocks = createClocks({ containers, clock, api });

  const failpoints = createFailpointSwitches(containers);
  const memory = createMemory(docker, containers);

  const retopologize = async (changed: Partial<Topology>): Promise<void> => {
    topology = { ...topology, ...changed };
    await writeFile(project.file, render(options, topology, [...rejoining]));
  };

  const logs = createLogKeeper(containers);
  const removeWithDisk = async (name: string): Promise<void> => {
    // Whoever began with this and died may have left a part of it.
    if ((await containers.state(name)) !== 'absent') await logs.keep(name);
    await compose(project, ['rm', '--stop', '--force', '--volumes', name]);
    await engine(`remove the disk of ${name}`, () =>
      docker.getVolume(`${project.project}_${name}-data`).remove(),
    ).catch((error: unknown) => {
      if (!hasCode(error, 'not_found')) throw error;
    });
  };
  /** As the file says by now; what was put into its network comes back when it is started (`act`). */
  const recreate = async (name: string): Promise<void> => {
    await compose(project, ['up', '--no-start', '--no-deps', '--force-recreate', name]);
    await containers.services();
  };
  const store = createStore({
    containers,
    members: () => etcdMembers(topology),
    recreate: async (member) => {
      await removeWithDisk(member);
      rejoining.add(member);
      await retopologize({});
      await recreate(member);
    },
  });

  // By label, not by Compose: what Compose lost track of goes, too.
  const teardown = async (): Promise<void> => {
    await links.end();
    await removeRun(docker, runId);
    options.onEnd();
  };

  return {
    get topology() {
      return topology;
    },
    runId,
    api,
    etcd: async (only) => {
      // A frozen one has its port, too, and may be the first to answer again.
      const members = only === undefined ? etcdMembers(topology) : [only];
      const urls = await Promise.allSettled(members.map((member) => url(member, ETCD_PORT)));
      const found = urls.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
      if (found.length > 0) return found;
      throw (urls[0] as PromiseRejectedResult).reason;
    },
    consumer: (name) => url(name, CONSUMER_PORT),
    prepareMounts: async (name) => {
      const { id } = await containers.get(name);
      await startHostMounter({ docker, clock, container: id, runId });
    },
    address: async (member) => {
      const { NetworkSettings } = await containers.inspect(member);
      const found = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
      if (found) return found;
      throw new RigError('unavailable', `${member} has no address now; is it running?`);
    },
    state: containers.state,
    incarnation: async (member) => {
      const { Id, State } = await containers.inspect(member);
      return `${Id} ${State.StartedAt}`;
    },
    act: async (act, member, { role } = {}) => {
      if (role !== undefined) return actOnRole({ containers, clock }, act, { member, role });
      await actOnContainer({ containers, clock }, act, member);
      // Its network is a new one.
      if (act === 'start') await links.refresh();
      if (act !== 'start' && act !== 'resume') return;
      for (const hardware of [failpoints, disks, clocks]) await hardware.refresh(member);
    },
    hasImage: async (image) => {
      try {
        await engine(`inspect image ${image}`, () => docker.getImage(image).inspect());
        return true;
      } catch (error) {
        if (hasCode(error, 'not_found')) return false;
        throw error;
      }
    },
    store,
    links,
    disks,
    clocks,
    failpoints,
    memory,
    fetch: fetchHttp,
    hasRole: async (member, role) => (await pidsOf(containers, { member, role })).length > 0,
    inventory: (node, options) => inventoryOf(containers, node, options),
    exec: containers.exec,
    logs: logs.read,
    saveLogs: logs.save,
    followLogs: (onRecord) => followLogs({ docker, clock, project: project.project, onRecord }),
    addNode: async (node) => {
      if (presentNodes(topology).some((known) => known.name === node.name)) {
        throw new RigError('conflict', `there is a node '${node.name}' already`);
      }
      await retopologize(withNode(topology, node));
      await compose(project, ['up', '--detach', '--no-recreate', '--no-deps', node.name]);
      await links.refresh();
    },
    removeNode: async (name) => {
      await removeWithDisk(name);
      await retopologize(withoutNode(topology, name));
    },
    renew: async (name, image) => {
      await logs.keep(name);
      if (image !== undefined) await retopologize({ system: { kind: 'image', image } });
      await recreate(name);
    },
    metrics: async (node) => (await fetchHttp(`${await url(node, API_PORT)}/metrics`)).text(),
    keep: options.onEnd,
    teardown,
    [Symbol.asyncDispose]: teardown,
  };
}
