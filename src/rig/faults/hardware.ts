// What faults of a node's disk or clock have in common: whether every node that may
// be hit has been given the hardware for it. That is the topology's to say, in every
// mode; a mode says only what it, or this machine, lacks besides.

import type { TopologyNode } from '../topology.ts';
import type { Site } from './fault.ts';
import { isDrawn, type Selector } from './select.ts';

/** The first that lacks it. Any node may be hit by one that is chosen by what it is. */
export async function missingAt(
  site: Site,
  on: Selector,
  missing: (
    node: string,
    planned: TopologyNode | undefined,
  ) => string | undefined | Promise<string | undefined>,
): Promise<string | undefined> {
  const named = [on].flat();
  const nodes = named.some(isDrawn) ? (await site.view()).nodes : named;
  const planned = new Map(site.deployment.topology.nodes.map((node) => [node.name, node]));
  const lacking = await Promise.all(nodes.map((node) => missing(node, planned.get(node))));
  return lacking.find((one) => one !== undefined);
}
