// The inventory of a node, by the program that its image has for that.

import { RigError } from '../../base/errors.ts';
import type { InventoryOptions } from '../deployment.ts';
import type { Inventory } from '../history.ts';
import type { Containers } from './containers.ts';

/** Part of the node image (images/node/inventory.mjs); shares no code with the daemon. */
const INVENTORY_COMMAND = ['node', '/usr/local/lib/cobalt-rig/inventory.mjs'];

export async function inventoryOf(
  containers: Containers,
  node: string,
  { withCoresWanted = false }: InventoryOptions = {},
): Promise<Inventory> {
  const command = [...INVENTORY_COMMAND, ...(withCoresWanted ? ['--cores-wanted'] : [])];
  const { exitCode, stdout, stderr } = await containers.exec(node, command);
  if (exitCode !== 0) {
    throw new RigError(
      'io',
      `the inventory of ${node} failed with ${exitCode}: ${stderr.trim().slice(-300)}`,
    );
  }
  return JSON.parse(stdout) as Inventory;
}
