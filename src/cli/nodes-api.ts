// Nodes by way of the API.

import { z } from 'zod';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { callApi } from './api.ts';
import type { ChosenCluster } from './clusters.ts';

/** Of what the API shows; the rest is passed on as it is. */
const nodeSchema = z.looseObject({
  name: z.string(),
  alive: z.boolean(),
  draining: z.boolean(),
  labels: z.record(z.string(), z.string()),
  capacity: z.number(),
  available: z.number().nullable(),
  remains: z.number().nullable(),
  roles: z.array(z.string()),
  disk: z.object({ state: z.string(), reason: z.string().nullable() }).nullable(),
  volumes: z.object({ count: z.number(), reserved: z.number() }),
});
export type NodeView = z.infer<typeof nodeSchema>;

/** A drain moves volume after volume. */
const EMPTY_WITHIN_MS = 600_000;

export async function listNodes(cluster: ChosenCluster): Promise<readonly NodeView[]> {
  const page = z.object({ nodes: z.array(nodeSchema), next: z.string().nullable() });
  const all: NodeView[] = [];
  let after: string | null = null;
  do {
    const query: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
    const { nodes, next } = page.parse((await callApi(cluster, { path: `/nodes?alive=any${query}` })).body);
    all.push(...nodes);
    after = next;
  } while (after !== null);
  return all;
}

/** With its entity tag. Throws `not_found`, with what there is. */
export async function nodeNamed(
  cluster: ChosenCluster,
  name: string,
): Promise<{ readonly node: NodeView; readonly etag: string | null }> {
  const known = await listNodes(cluster);
  if (!known.some((node) => node.name === name)) {
    throw new RigError('not_found', `there is no node '${name}'`, {
      next: `Choose one of ${known.map((node) => node.name).join(', ')}.`,
    });
  }
  const { body, etag } = await callApi(cluster, { path: `/nodes/${name}` });
  return { node: nodeSchema.parse(body), etag };
}

/** On condition that nobody else changes it meanwhile. */
export async function changeNode(
  cluster: ChosenCluster,
  name: string,
  wanted: (before: NodeView) => unknown,
): Promise<void> {
  const { node, etag } = await nodeNamed(cluster, name);
  await callApi(cluster, {
    method: 'PUT',
    path: `/nodes/${name}`,
    body: wanted(node),
    ...(etag !== null && { ifMatch: etag }),
  });
}

export async function untilEmpty(cluster: ChosenCluster, name: string): Promise<NodeView> {
  let seen: NodeView | undefined;
  return waitFor({
    clock: createSystemClock(),
    what: `${name} to be empty`,
    timeoutMs: EMPTY_WITHIN_MS,
    intervalMs: 250,
    probe: async () => {
      seen = (await nodeNamed(cluster, name)).node;
      return seen.volumes.count === 0 && seen.remains === 0 ? seen : undefined;
    },
    describe: () => `${seen?.volumes.count} volumes are its own, ${seen?.remains} remain on its disk`,
  });
}
