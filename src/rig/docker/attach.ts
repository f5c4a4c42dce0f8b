// A cluster that another rig has started and left behind, taken over.

import type { Deployment } from '../deployment.ts';
import { createContainers } from './containers.ts';
import { createDeployment, type DeployOptions, projectOf } from './deploy.ts';

/**
 * Undefined when nothing is left of it. `topology` as the cluster was started: of its nodes
 * those count that it has now. The other rig must be gone. What is in force in the cluster stays, and is not known to
 * the deployment before it is taken over (faults/owed.ts).
 */
export async function attachContainers(
  options: Omit<DeployOptions, 'healthchecks' | 'absentAtStart' | 'signal' | 'onEnd'>,
): Promise<Deployment | undefined> {
  const { docker, clock, runId, composeFile } = options;
  const project = projectOf(runId);
  const containers = createContainers(docker, clock, project);
  const services = new Set(await containers.services());
  if (services.size === 0) return undefined;
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
