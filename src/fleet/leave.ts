// How nodes leave a fleet: emptied first or at once, and then forgotten by the cluster, as a
// real one is by DELETE /nodes/<name>.

import { diskKey, nameIn, nodeKey, specKey, VOLUMES_PREFIX } from '../kv/keys.ts';
import { nodeSchema, nodeSpecSchema } from '../model/node.ts';
import { parseStored } from '../model/parse.ts';
import { reservationsOf, volumeSchema } from '../model/volume.ts';
import type { FleetWorld } from './agent.ts';

type Store = Pick<FleetWorld, 'store' | 'kv'>;

/** As PUT /nodes/<name> with `draining`. Nothing for a node that never registered. Rejects as the store does. */
export async function drain({ store, kv }: Store, name: string): Promise<void> {
  const key = specKey(name);
  for (let succeeded = false; !succeeded; ) {
    await store.fresh();
    const found = store.entries.get(key);
    const spec = found && parseStored(nodeSpecSchema, found);
    if (found === undefined || spec === undefined || spec.draining) return;
    const value = JSON.stringify({ ...spec, draining: true });
    ({ succeeded } = await kv.transact({
      compare: [{ key, target: 'mod', equals: found.modRevision }],
      writes: [{ kind: 'put', key, value }],
    }));
  }
}

/** No volume is on it or on its way to it, and its agent says that nothing remains. */
export async function isEmpty({ store }: Store, name: string): Promise<boolean> {
  await store.fresh();
  if (store.entries.get(specKey(name)) === undefined) return true;
  const live = store.entries.get(nodeKey(name));
  return (
    volumesOn(store, name).length === 0 && live !== undefined && parseStored(nodeSchema, live).remains === 0
  );
}

/** Ids of the volumes that reserve something there. Those that can't be read count. */
export function volumesOn(store: Store['store'], name: string): readonly string[] {
  return [...store.index.keysOf(name)].flatMap((key) => {
    const found = key.startsWith(VOLUMES_PREFIX) ? store.entries.get(key) : undefined;
    if (found === undefined) return [];
    const isThere = reservationsOf(parseStored(volumeSchema, found)).some(({ node }) => node === name);
    return isThere ? [nameIn(VOLUMES_PREFIX, key)] : [];
  });
}

/**
 * For a node whose agent has given up its lease, and whose disk is gone for good. False: volumes are there, so that
 * its spec stays, or its agent is back.
 */
export async function forget({ store, kv }: Store, name: string): Promise<boolean> {
  await store.fresh();
  if (volumesOn(store, name).length > 0) return false;
  const { succeeded } = await kv.transact({
    compare: [{ key: nodeKey(name), target: 'create', equals: 0 }],
    writes: [
      { kind: 'delete', key: specKey(name) },
      { kind: 'delete', key: diskKey(name) },
    ],
  });
  return succeeded;
}
