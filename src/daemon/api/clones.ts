// Clones and their parents. A clone is made from its parent's bytes some time
// after it was ordered, so until then the parent must stay.
//
// Order and deletion can't pass each other: an order compares the parent's key
// and puts `clones/<parent>`; a deletion compares that key as it was before the
// deletion looked for clones.

import { clonesKey, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { Compare, Write } from '../../kv/kv.ts';
import { isStuck, type Volume, volumeSchema } from '../../model/volume.ts';
import { wrongState } from './change.ts';
import { readAll } from './paging.ts';
import { type ApiContext, type ApiResponse, problem } from './route.ts';

/** Why no clone can be made of it; undefined when one can. */
export function unfitParent(volume: Volume): ApiResponse | undefined {
  const fits = volume.actual !== null && volume.state !== 'deleting' && volume.state !== 'error';
  return fits ? undefined : wrongState(volume, 'cloned');
}

/** What a deletion of the volume must compare and write besides; a 409 with their ids while clones of it wait. */
export async function guardAgainstClones(
  context: ApiContext,
  id: string,
): Promise<
  | { readonly compare: readonly Compare[]; readonly writes: readonly Write[] }
  | { readonly answer: ApiResponse }
> {
  const key = clonesKey(id);
  const newest = (await context.kv.get(key)).kv;
  // Every order puts the key, so without it there are none to look for.
  if (newest === undefined) return { compare: [{ key, target: 'mod', equals: 0 }], writes: [] };
  const volumes = await readAll(context, { prefix: VOLUMES_PREFIX, schema: volumeSchema });
  const waiting = volumes.filter((volume) => volume.control.parent_id === id && isUnmade(volume));
  if (waiting.length > 0) {
    const message = `Clones of volume ${id} are still to be made; ${adviceOn(waiting)}`;
    return { answer: problem(409, 'clones_pending', message, { volumes: waiting.map((clone) => clone.id) }) };
  }
  return {
    compare: [{ key, target: 'mod', equals: newest.modRevision }],
    writes: [{ kind: 'delete', key }],
  };
}

/** Only a clone that is stuck can be deleted before it is made. */
function adviceOn(waiting: readonly Volume[]): string {
  const stuck = waiting.filter(isStuck).map(({ id }) => id);
  if (stuck.length === 0) return 'wait until they are ready.';
  const others = stuck.length < waiting.length ? ' Wait until the others are ready.' : '';
  return `${stuck.join(', ')} can't go on, as control.error says: mend that, or delete what is stuck.${others}`;
}

const isUnmade = ({ actual, state }: Volume): boolean => actual === null && state !== 'deleting';
