// The failpoints of nodes' daemons, switched by the file that they look at.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { ALWAYS_THERE } from '../hardware/disks.ts';
import type { FailpointSwitches } from '../rig/deployment.ts';
import { createConditions } from '../rig/keyed-conditions.ts';
import type { Topology } from '../rig/topology.ts';

export function createFailpointSwitches(options: {
  readonly topology: () => Topology;
  readonly nodes: ReadonlyMap<string, { readonly failpointsFile: string }>;
}): FailpointSwitches {
  const { topology, nodes } = options;
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
  return {
    set: conditions.set,
    missing: () =>
      topology().settings.failpointSwitches
        ? undefined
        : "the daemons' failpoints can't be switched: give the topology settings.failpointSwitches: true",
  };
}
