// The failpoints of nodes' daemons, switched by the file that they look at.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { ALWAYS_THERE } from '../hardware/disks.ts';
import type { FailpointSwitches } from '../rig/deployment.ts';
import { createConditions } from '../rig/keyed-conditions.ts';

export function createFailpointSwitches(
  nodes: ReadonlyMap<string, { readonly failpointsFile: string }>,
): FailpointSwitches {
  const conditions = createConditions<string>({
    ...ALWAYS_THERE,
    apply: async (node, failpoints) => {
      const file = nodes.get(node)?.failpointsFile;
      if (file === undefined) return;
      if (failpoints.length === 0) return rmSync(file, { force: true });
      // Complete at once, or not there.
      writeFileSync(`${file}.new`, failpoints.join(';'));
      renameSync(`${file}.new`, file);
    },
  });
  return { set: conditions.set };
}
