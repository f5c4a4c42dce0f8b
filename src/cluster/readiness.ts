// When a cluster's control plane says what is: every node that runs is listed, and no other.

import type { Clock } from '../base/clock.ts';
import { waitFor } from '../base/retry.ts';
import type { Deployment } from '../rig/deployment.ts';
import { presentNodes, type TopologyNode } from '../rig/topology.ts';

export interface Waiting {
  /** Default: 60,000. */
  readonly withinMs?: number;
}

const DEFAULT_WITHIN_MS = 60_000;
const ASK_EVERY_MS = 100;

/** Throws `timeout`, naming whose API lists what. */
export async function awaitAgreement(
  {
    deployment,
    clock,
    signal,
  }: { readonly deployment: Deployment; readonly clock: Clock; readonly signal: AbortSignal },
  { withinMs = DEFAULT_WITHIN_MS }: Waiting = {},
): Promise<void> {
  let differences: readonly string[] = [];
  await waitFor({
    clock,
    what: 'every API to list the nodes that run, and no other',
    timeoutMs: withinMs,
    intervalMs: ASK_EVERY_MS,
    signal,
    probe: async () => {
      differences = await findDifferences(deployment);
      return differences.length === 0 ? true : undefined;
    },
    describe: () => differences.join('; '),
  });
}

async function findDifferences(deployment: Deployment): Promise<readonly string[]> {
  const present = presentNodes(deployment.topology);
  const states = await Promise.all(present.map(({ name }) => deployment.state(name)));
  const running = present.filter((_, index) => states[index] === 'running');
  const expected = names(running.filter(({ roles }) => roles.includes('agent')));
  const found = await Promise.all(
    running
      .filter(({ roles }) => roles.includes('api'))
      .map(async ({ name }) => {
        const listed = await listedBy(deployment, name);
        return listed === expected ? [] : [`${name} lists ${listed}, and not ${expected}`];
      }),
  );
  return found.flat();
}

const names = (nodes: readonly Pick<TopologyNode, 'name'>[]): string =>
  nodes
    .map(({ name }) => name)
    .sort()
    .join(', ') || 'nobody';

async function listedBy(deployment: Deployment, node: string): Promise<string> {
  try {
    const answer = await deployment.fetch(`${await deployment.api(node)}/nodes?limit=1000`, {
      timeoutMs: 2_000,
    });
    if (answer.status !== 200) return `nothing (${answer.status})`;
    return names(((await answer.json()) as { readonly nodes: readonly { readonly name: string }[] }).nodes);
  } catch (error) {
    return `nothing (${(error as Error).message})`;
  }
}
