// POST /volumes: a new volume, or a clone of another one.

import { hex } from '../../base/random.ts';
import { clonesKey, volumeKey } from '../../kv/keys.ts';
import type { Compare, Write } from '../../kv/kv.ts';
import { newClone, newVolume } from '../../model/changes.ts';
import type { ExportRule } from '../../model/export.ts';
import type { Labels } from '../../model/names.ts';
import type { Reservation, Volume } from '../../model/volume.ts';
import { accepted, ETAG, refused } from './answers.ts';
import { authorOf, INDEPENDENT_ATTEMPTS, missingVolume } from './change.ts';
import { unfitParent } from './clones.ts';
import { type ApiContext, type ApiResponse, problem, type Route, route } from './route.ts';
import { newVolumeBody } from './schemas.ts';
import { readVolume, writtenResponse } from './stored.ts';
import { tooSmallFor } from './usage.ts';

/** Without constraints: a clone has its parent's, any other volume none. */
type Ordered = Pick<Reservation, 'reserved_size'> & { readonly constraints?: Labels | undefined };

interface Order {
  readonly name: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly exports: readonly ExportRule[];
  readonly requested?: Ordered | undefined;
}

const create = route({
  method: 'POST',
  path: '/volumes',
  id: 'createVolume',
  summary:
    'Orders a volume, or a clone of the volume `id`, where that one is. The engine then picks a node and its agent creates it.',
  body: newVolumeBody,
  answers: {
    202: { ...accepted, headers: { ...ETAG, location: 'Path of the new volume.' } },
    404: refused('There is no volume to clone by that id.'),
    409: refused(
      "The volume to clone isn't there yet, is being deleted, or holds more than the new one may (`used_bytes`); or the id that was drawn is taken.",
    ),
  },
  handle: async (context, { body }) => {
    const { id: parentId, ...order } = body;
    const id = `v${hex(context.random, 16)}`;
    if (parentId !== undefined) return orderClone(context, { id, parentId, order });
    // The schema wants it of all but clones.
    const { reserved_size, constraints = {} } = order.requested as Ordered;
    const volume = newVolume(id, { ...order, requested: { reserved_size, constraints } }, authorOf(context));
    const answer = await put(context, volume, { compare: [], writes: [] });
    return answer ?? problem(409, 'conflict', `The id ${id} is taken; try again.`);
  },
});

async function orderClone(
  context: ApiContext,
  { id, parentId, order }: { readonly id: string; readonly parentId: string; readonly order: Order },
): Promise<ApiResponse> {
  for (let attempt = 0; attempt < INDEPENDENT_ATTEMPTS; attempt += 1) {
    const parent = await readVolume(context, parentId);
    if (parent === undefined) return missingVolume(parentId);
    const ofParent = parent.value.requested;
    const { reserved_size, constraints = ofParent.constraints } = order.requested ?? ofParent;
    const requested = { reserved_size, constraints };
    const refusal =
      unfitParent(parent.value) ?? (await tooSmallFor(context, parent.value, requested.reserved_size));
    if (refusal !== undefined) return refusal;
    const clone = newClone(id, { ...order, requested, parentId }, authorOf(context));
    const answer = await put(context, clone, {
      compare: [{ key: volumeKey(parentId), target: 'mod', equals: parent.modRevision }],
      writes: [{ kind: 'put', key: clonesKey(parentId), value: id }],
    });
    if (answer !== undefined) return answer;
  }
  return problem(409, 'conflict', `Volume ${parentId} was changed again and again meanwhile; try again.`);
}

/** The 202; undefined when a compare was lost. */
async function put(
  context: ApiContext,
  volume: Volume,
  also: { readonly compare: readonly Compare[]; readonly writes: readonly Write[] },
): Promise<ApiResponse | undefined> {
  const key = volumeKey(volume.id);
  const { succeeded, revision } = await context.kv.transact({
    compare: [{ key, target: 'create', equals: 0 }, ...also.compare],
    writes: [{ kind: 'put', key, value: JSON.stringify(volume) }, ...also.writes],
  });
  if (!succeeded) return undefined;
  const location = `/volumes/${volume.id}`;
  return writtenResponse(context, { value: volume, modRevision: revision }, { location });
}

export const orderRoutes: readonly Route[] = [create];
