// A cluster that another rig has started and left behind, taken over.

import type Docker from 'dockerode';
import type { Deployment } from '../deployment.ts';
import { createContainers, engine } from './containers.ts';
import { createDeployment, type DeployOptions, projectOf } from './deploy.ts';
import { runLabel } from './removal.ts';

/**
 * Undefined when nothing is left of it. `topology` as the cluster was started: of its nodes
 * those count that it has now. The other rig must be gone.
 */
export async function attachContainers(
  options: Omit<DeployOptions, 'healthchecks' | 'absentAtStart' | 'signal' | 'onEnd'>,
): Promise<Deployment | undefined> {
  const { docker, clock, runId, composeFile } = options;
  const project = projectOf(runId);
  const containers = createContainers(docker, clock, project);
  const services = new Set(await containers.services());
  if (services.size === 0) return undefined;
  await removeSidecars(docker, runId, project);
  const nodes = options.topology.nodes
    .filter(({ name, starts }) => services.has(name) || starts === 'later')
    .map((node) => (services.has(node.name) ? { ...node, starts: 'now' as const } : node));
  return createDeployment({
    ...options,
    topology: { ...options.topology, nodes },
    project: { project, file: composeFile },
    containers,
    onEnd: () => undefined,
  });
}

/** They have the names of ours. What they did to their members' networks stays in force. */
async function removeSidecars(docker: Docker, runId: string, project: string): Promise<void> {
  const filters = { label: [runLabel(runId)] };
  await engine('remove old sidecars', async () => {
    for (const { Id, Names } of await docker.listContainers({ all: true, filters })) {
      const isSidecar = Names.some((name) => name.startsWith(`/${project}-`) && name.endsWith('-links'));
      if (isSidecar) await docker.getContainer(Id).remove({ force: true });
    }
  });
}
