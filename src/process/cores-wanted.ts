// What the roles of one node want of a core: measured as in a node's container.

import { coresWanted } from '../../images/node/cores-wanted.mjs';
import { ROLES, type Role } from '../model/volume.ts';
import type { Inventory } from '../rig/history.ts';

/** Takes 0.5 s, or up to 16 s while they are busy. */
export const wantedCores = async (node: {
  pidsOf(role: Role): readonly number[];
}): Promise<NonNullable<Inventory['coresWanted']>> =>
  coresWanted(async () =>
    ROLES.flatMap((role) => node.pidsOf(role).map((pid) => ({ pid: String(pid), role }))),
  );
