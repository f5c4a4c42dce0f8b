// The calls on /volumes: to look at them, to order, change and delete one.

import { NODES_PREFIX, VOLUMES_PREFIX } from '../../kv/keys.ts';
import { condemned, requested } from '../../model/changes.ts';
import { nodeSchema } from '../../model/node.ts';
import { isIdle, type Reservation, type Volume, volumeSchema } from '../../model/volume.ts';
import { absent, accepted, ETAG, refused, same, stale } from './answers.ts';
import {
  authorOf,
  changeVolume,
  type Decision,
  INDEPENDENT_ATTEMPTS,
  missingVolume,
  unchangedVolume,
  wrongState,
} from './change.ts';
import { guardAgainstClones } from './clones.ts';
import { readAll, readPage } from './paging.ts';
import { type ApiContext, type Route, route } from './route.ts';
import { changedVolumeBody, volumeParams, volumesQuery, volumesView, volumeView } from './schemas.ts';
import { readResponse, readVolume, type Stored, viewOf } from './stored.ts';
import { tooSmallFor } from './usage.ts';

const list = route({
  method: 'GET',
  path: '/volumes',
  id: 'listVolumes',
  summary: 'Every volume, by id, page by page.',
  query: volumesQuery,
  answers: { 200: { description: 'A page of volumes.', schema: volumesView } },
  handle: async (context, { query }) => {
    const { limit, after, ...wanted } = query;
    const fields = Object.entries(wanted) as ['state' | 'node' | 'name', string | undefined][];
    const asked = fields.filter(([, value]) => value !== undefined);
    const keep = (volume: Volume): boolean => asked.every(([field, value]) => volume[field] === value);
    const [{ values, next }, nodes] = await Promise.all([
      readPage(context, {
        prefix: VOLUMES_PREFIX,
        schema: volumeSchema,
        limit,
        after,
        ...(asked.length > 0 ? { keep } : {}),
      }),
      readAll(context, { prefix: NODES_PREFIX, schema: nodeSchema }),
    ]);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    const volumes = values.map((volume) => viewOf(volume, byName.get(volume.node ?? '')));
    return { status: 200, json: { volumes, next } };
  },
});

const get = route({
  method: 'GET',
  path: '/volumes/:id',
  id: 'getVolume',
  summary: 'One volume.',
  params: volumeParams,
  answers: { 200: { description: 'The volume.', schema: volumeView, headers: ETAG }, 404: absent },
  handle: async (context, { params }) => {
    const stored = await readVolume(context, params.id);
    return stored === undefined ? missingVolume(params.id) : readResponse(context, stored);
  },
});

const change = route({
  method: 'PUT',
  path: '/volumes/:id',
  id: 'changeVolume',
  summary:
    "Asks for another size or other constraints; what isn't named stays. Also for a volume that is stuck: in scheduling, pending or error, with a reason in control.error. A task that it is stuck with is called off.",
  params: volumeParams,
  body: changedVolumeBody,
  conditional: true,
  answers: {
    202: accepted,
    304: same,
    404: absent,
    409: refused(
      'The volume is neither ready nor stuck with an error, or was changed meanwhile, or holds more than the new size (`used_bytes`).',
    ),
    412: stale,
  },
  handle: (context, { params, body, ifMatch }) =>
    changeVolume(context, {
      id: params.id,
      attempts: 1,
      ifMatch,
      decide: (stored) => decideReservation(context, stored, named(stored.value.requested, body.requested)),
    }),
});

/** What isn't named stays as it is. */
function named(
  known: Reservation,
  asked: { readonly [key in keyof Reservation]?: Reservation[key] | undefined },
): Reservation {
  const { reserved_size = known.reserved_size, constraints = known.constraints } = asked;
  return { reserved_size, constraints };
}

async function decideReservation(
  context: ApiContext,
  stored: Stored<Volume>,
  reservation: Reservation,
): Promise<Decision> {
  const volume = stored.value;
  if (volume.state === 'deleting') return { answer: wrongState(volume, 'changed') };
  const isSame = sameReservation(volume.requested, reservation);
  // Asking a volume for what it was asked for already calls the task off that it is stuck with.
  if (isSame && (volume.control.task === null || !isIdle(volume)))
    return { answer: await unchangedVolume(context, stored) };
  if (!isIdle(volume)) return { answer: wrongState(volume, 'changed') };
  const refusal = await tooSmallFor(context, volume, reservation.reserved_size);
  if (refusal !== undefined) return { answer: refusal };
  return { write: requested(volume, reservation, authorOf(context)) };
}

const remove = route({
  method: 'DELETE',
  path: '/volumes/:id',
  id: 'deleteVolume',
  summary: 'Deletes a volume, by way of the trash.',
  params: volumeParams,
  conditional: true,
  answers: {
    202: accepted,
    404: absent,
    409: refused(
      'The volume is neither ready nor stuck with an error, or clones of it are still to be made (`volumes`).',
    ),
    412: stale,
  },
  handle: (context, { params, ifMatch }) =>
    changeVolume(context, {
      id: params.id,
      attempts: INDEPENDENT_ATTEMPTS,
      ifMatch,
      decide: async ({ value: volume }) => {
        if (!isIdle(volume)) return { answer: wrongState(volume, 'deleted') };
        const guard = await guardAgainstClones(context, volume.id);
        if ('answer' in guard) return guard;
        return { write: condemned(volume, authorOf(context)), also: guard };
      },
    }),
});

export const volumeRoutes: readonly Route[] = [list, get, change, remove];

function sameReservation(a: Reservation, b: Reservation): boolean {
  const text = ({ reserved_size, constraints }: Reservation): string =>
    JSON.stringify([reserved_size, Object.entries(constraints).sort()]);
  return text(a) === text(b);
}
