// The failpoints of nodes' daemons, switched by the file that they look at.

import { RigError } from '../../base/errors.ts';
import { FAILPOINTS_FILE } from '../compose/node-environment.ts';
import type { FailpointSwitches } from '../deployment.ts';
import { createConditions } from '../keyed-conditions.ts';
import type { Containers } from './containers.ts';

/** Complete at once, or not there; without any, it goes. */
const SWITCH = 'if [ -n "$1" ]; then printf %s "$1" >"$2.new" && mv "$2.new" "$2"; else rm -f "$2"; fi';

export interface ContainerFailpointSwitches extends FailpointSwitches {
  /** Puts in force again what was switched while the node was down. */
  refresh(node: string): Promise<void>;
}

export function createFailpointSwitches(containers: Containers): ContainerFailpointSwitches {
  const conditions = createConditions<string>({
    state: containers.state,
    apply: async (node, failpoints) => {
      const command = ['sh', '-c', SWITCH, 'sh', failpoints.join(';'), FAILPOINTS_FILE];
      const { exitCode, stderr } = await containers.exec(node, command);
      if (exitCode === 0) return;
      throw new RigError('machine', `cannot switch the failpoints of ${node}: ${stderr.trim()}`);
    },
  });
  return {
    set: conditions.set,
    refresh: conditions.refresh,
  };
}
