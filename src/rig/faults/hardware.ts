// What faults of a node's disk or clock have in common: whether every node that may
// be hit has been given the hardware for it.

import type { Site } from './fault.ts';
import { isDrawn, type Selector } from './select.ts';

/** The first that lacks it. Any node may be hit by one that is chosen by what it is. */
export async function missingAt(
  site: Site,
  on: Selector,
  missing: (node: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const nodes = isDrawn(on) ? (await site.view()).nodes : [on].flat();
  const lacking = await Promise.all(nodes.map(missing));
  return lacking.find((one) => one !== undefined);
}
