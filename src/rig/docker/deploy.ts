// A cluster in containers: renders the compose file, brings it up, and hands
// out the deployment.

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { API_PORT, ETCD_PORT, RUN_LABEL, renderCompose } from '../compose/render.ts';
import { CONSUMER_PORT } from '../consumer/protocol.ts';
import type { Deployment } from '../deployment.ts';
import type { Topology } from '../topology.ts';
import { actOnContainer, actOnRole } from './acts.ts';
import { type ComposeProject, compose } from './compose-cli.ts';
import { type Containers, createContainers, engine } from './containers.ts';
import type { ImageSet } from './images.ts';

export interface DeployOptions {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly images: ImageSet;
  readonly topology: Topology;
  readonly runId: string;
  /** Where the compose file is written. */
  readonly composeFile: string;
  /** Members that are created but not started. */
  readonly absentAtStart?: readonly string[];
  readonly signal?: AbortSignal;
  /** Told when nothing is left of the cluster, or when it is to stay. */
  readonly onEnd: () => void;
}

export const projectOf = (runId: string): string => `cobalt-${runId}`;
export const runLabel = (runId: string): string => `${RUN_LABEL}=${runId}`;

/**
 * Resolves when every container was started (readiness is the caller's to
 * await). When that fails, whatever was started is removed before it throws.
 */
export async function deployContainers(options: DeployOptions): Promise<Deployment> {
  const { docker, topology, runId, composeFile, signal } = options;
  const project: ComposeProject = { project: projectOf(runId), file: composeFile };
  await refuseExisting(docker, runId);
  await mkdir(dirname(composeFile), { recursive: true });
  await writeFile(composeFile, render(options, topology));
  const containers = createContainers(docker, project.project);
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
    await deployment.teardown();
    throw error;
  }
  return deployment;
}

/** Whatever would go wrong later, would take down somebody else's cluster. */
async function refuseExisting(docker: Docker, runId: string): Promise<void> {
  const filters = { label: [runLabel(runId)] };
  const found = await engine('list containers', () => docker.listContainers({ all: true, filters }));
  if (found.length === 0) return;
  throw new RigError('conflict', `there is a cluster '${runId}' already, of ${found.length} containers`, {
    next: 'Use it, remove it with rig down, or choose another name.',
  });
}

export function membersOf(topology: Topology): readonly string[] {
  return ['etcd', ...topology.nodes.map((node) => node.name), ...topology.consumers];
}

function render(options: DeployOptions, topology: Topology): string {
  const { runId, images } = options;
  return renderCompose({ topology, project: projectOf(runId), runId, images });
}

function createDeployment(
  options: DeployOptions & { readonly project: ComposeProject; readonly containers: Containers },
): Deployment {
  const { docker, clock, runId, project, containers } = options;
  let topology = options.topology;

  const url = async (member: string, port: number): Promise<string> =>
    `http://127.0.0.1:${await containers.publishedPort(member, port)}`;

  const retopologize = async (nodes: Topology['nodes']): Promise<void> => {
    topology = { ...topology, nodes };
    await writeFile(project.file, render(options, topology));
  };

  // By label, not by Compose: what Compose lost track of goes, too.
  const teardown = async (): Promise<void> => {
    await removeRun(docker, runId);
    options.onEnd();
  };

  return {
    get topology() {
      return topology;
    },
    runId,
    api: (node) => url(node, API_PORT),
    etcd: () => url('etcd', ETCD_PORT),
    consumer: (name) => url(name, CONSUMER_PORT),
    address: async (member) => {
      const { NetworkSettings } = await containers.inspect(member);
      const found = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
      if (found) return found;
      throw new RigError('unavailable', `${member} has no address now; is it running?`);
    },
    state: containers.state,
    act: (act, member, { role } = {}) =>
      role === undefined
        ? actOnContainer({ containers, clock }, act, member)
        : actOnRole({ containers, clock }, act, { member, role }),
    exec: containers.exec,
    logs: containers.logs,
    saveLogs: async (folder) => {
      await mkdir(folder, { recursive: true });
      for (const service of await containers.services()) {
        await writeFile(join(folder, `${service}.log`), await containers.logs(service));
      }
    },
    addNode: async (node) => {
      if (topology.nodes.some((known) => known.name === node.name)) {
        throw new RigError('conflict', `there is a node '${node.name}' already`);
      }
      await retopologize([...topology.nodes, node]);
      await compose(project, ['up', '--detach', '--no-recreate', '--no-deps', node.name]);
    },
    removeNode: async (name) => {
      await compose(project, ['rm', '--stop', '--force', '--volumes', name]);
      await engine(`remove the disk of ${name}`, () =>
        docker.getVolume(`${project.project}_${name}-data`).remove(),
      );
      await retopologize(topology.nodes.filter((node) => node.name !== name));
    },
    metrics: async (node) => (await fetch(`${await url(node, API_PORT)}/metrics`)).text(),
    keep: options.onEnd,
    teardown,
    [Symbol.asyncDispose]: teardown,
  };
}

/** Removes by label whatever of a run there is, containers first; answers with how many things that was. */
export async function removeRun(docker: Docker, runId: string): Promise<number> {
  const filters = { label: [runLabel(runId)] };
  return engine(`remove what is labelled ${runLabel(runId)}`, async () => {
    const containers = await docker.listContainers({ all: true, filters });
    await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
    const networks = await docker.listNetworks({ filters });
    for (const { Id } of networks) await docker.getNetwork(Id).remove();
    const { Volumes } = await docker.listVolumes({ filters });
    for (const { Name } of Volumes ?? []) await docker.getVolume(Name).remove({ force: true });
    return containers.length + networks.length + (Volumes?.length ?? 0);
  });
}
