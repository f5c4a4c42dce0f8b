// What is true at a moment: each node's disk and exports, read behind the
// daemon's back, and everything that etcd holds.

import { RigError } from '../base/errors.ts';
import { ROOT } from '../kv/keys.ts';
import type { Kv } from '../kv/kv.ts';
import { FINAL_LABEL } from './checks/final.ts';
import type { Deployment } from './deployment.ts';
import type { Inventory } from './history.ts';
import type { Journal } from './journal.ts';

/**
 * Records an inventory of every node that runs; the final one with what its roles want of a core. Of a node that has
 * none to give, such as one that ends meanwhile, nobody knows anything then, and the verdict is unknown.
 */
export async function collectInventories(options: {
  readonly deployment: Deployment;
  readonly journal: Journal;
  readonly label: string;
}): Promise<void> {
  const { deployment, journal, label } = options;
  await Promise.all(
    deployment.topology.nodes.map(async ({ name }) => {
      if ((await deployment.state(name)) !== 'running') return;
      let inventory: Inventory;
      try {
        inventory = await deployment.inventory(name, { withCoresWanted: label === FINAL_LABEL });
      } catch (error) {
        const what = `${name} can be looked into for the inventory ${label}`;
        journal.record({ type: 'expectation', what, outcome: 'unseen', seen: RigError.from(error).message });
        return;
      }
      journal.record({ type: 'inventory', label, node: name, inventory });
    }),
  );
}

/** Records all keys and leases of etcd; answers with the revision that they are of. */
export async function collectFinalState(options: {
  readonly kv: Kv;
  readonly journal: Journal;
}): Promise<number> {
  const { revision, kvs } = await options.kv.list(ROOT);
  options.journal.record({
    type: 'final-state',
    revision,
    keys: Object.fromEntries(kvs.map(({ key, value }) => [key, value])),
    keyLeases: Object.fromEntries(
      kvs.filter(({ lease }) => lease !== '0').map(({ key, lease }) => [key, lease]),
    ),
    leases: await options.kv.listLeases(),
  });
  return revision;
}
