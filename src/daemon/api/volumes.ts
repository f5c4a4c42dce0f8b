// The calls on /volumes and on a volume's exports.

import { hex } from '../../base/random.ts';
import { volumeKey } from '../../kv/keys.ts';
import { condemned, newVolume, reexported, requested } from '../../model/changes.ts';
import { sameRules } from '../../model/export.ts';
import { isIdle, type Reservation, type Volume } from '../../model/volume.ts';
import { authorOf, changeVolume, missingVolume, unchanged } from './change.ts';
import { type ApiResponse, problem, type Route, route } from './route.ts';
import {
  changedExportsBody,
  changedVolumeBody,
  errorView,
  newVolumeBody,
  volumeParams,
  volumesView,
  volumeView,
} from './schemas.ts';
import { listNodes, listVolumes, readResponse, readVolume, viewOf, writtenResponse } from './stored.ts';

const ETAG = { etag: 'The modification revision of the key in etcd, in quotes.' };
const accepted = { description: 'Accepted; the volume as it is now.', schema: volumeView, headers: ETAG };
const same = { description: 'It is so already.', headers: ETAG };
const absent = { description: 'There is no such volume.', schema: errorView };
const refused = (description: string) => ({ description, schema: errorView });

/** Fresh reads of a change that doesn't depend on what else has changed. */
const INDEPENDENT_ATTEMPTS = 5;

const list = route({
  method: 'GET',
  path: '/volumes',
  id: 'listVolumes',
  summary: 'Every volume.',
  answers: { 200: { description: 'All volumes, by id.', schema: volumesView } },
  handle: async (context) => {
    const [volumes, nodes] = await Promise.all([listVolumes(context), listNodes(context)]);
    const byName = new Map(nodes.map((node) => [node.name, node]));
    return {
      status: 200,
      json: { volumes: volumes.map((volume) => viewOf(volume, byName.get(volume.node ?? ''))) },
    };
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

const create = route({
  method: 'POST',
  path: '/volumes',
  id: 'createVolume',
  summary: 'Orders a volume. The engine then picks a node and its agent creates it.',
  body: newVolumeBody,
  answers: {
    202: { ...accepted, headers: { ...ETAG, location: 'Path of the new volume.' } },
    409: refused('The id that was drawn is taken; try again.'),
  },
  handle: async (context, { body }) => {
    const id = `v${hex(context.random, 16)}`;
    const { name, meta, requested: reservation, exports } = body;
    const volume = newVolume(id, { name, meta, requested: reservation, exports }, authorOf(context));
    const { succeeded, revision } = await context.kv.transact({
      compare: [{ key: volumeKey(id), target: 'create', equals: 0 }],
      writes: [{ kind: 'put', key: volumeKey(id), value: JSON.stringify(volume) }],
    });
    if (!succeeded) return problem(409, 'conflict', `The id ${id} is taken; try again.`);
    const location = `/volumes/${id}`;
    return writtenResponse(context, { value: volume, modRevision: revision }, { location });
  },
});

const change = route({
  method: 'PUT',
  path: '/volumes/:id',
  id: 'changeVolume',
  summary:
    'Asks for another size or other constraints. Also for a volume that is stuck: in scheduling, pending or error, with a reason in control.error.',
  params: volumeParams,
  body: changedVolumeBody,
  conditional: true,
  answers: {
    202: accepted,
    304: same,
    404: absent,
    409: refused('The volume is neither ready nor stuck with an error, or was changed meanwhile.'),
    412: refused('If-Match names another revision.'),
  },
  handle: (context, { params, body, ifMatch }) =>
    changeVolume(context, {
      id: params.id,
      attempts: 1,
      ifMatch,
      decide: (stored) => {
        const volume = stored.value;
        if (volume.state === 'deleting') return { answer: wrongState(volume, 'changed') };
        if (sameReservation(volume.requested, body.requested)) return { answer: unchanged(stored) };
        if (!isIdle(volume)) return { answer: wrongState(volume, 'changed') };
        return { write: requested(volume, body.requested, authorOf(context)) };
      },
    }),
});

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
    409: refused('The volume is neither ready nor stuck with an error.'),
    412: refused('If-Match names another revision.'),
  },
  handle: (context, { params, ifMatch }) =>
    changeVolume(context, {
      id: params.id,
      attempts: INDEPENDENT_ATTEMPTS,
      ifMatch,
      decide: ({ value: volume }) =>
        isIdle(volume)
          ? { write: condemned(volume, authorOf(context)) }
          : { answer: wrongState(volume, 'deleted') },
    }),
});

const changeExports = route({
  method: 'PUT',
  path: '/volumes/:id/exports',
  id: 'changeExports',
  summary: 'Replaces the hosts that may mount a volume.',
  params: volumeParams,
  body: changedExportsBody,
  conditional: true,
  answers: {
    202: accepted,
    304: same,
    404: absent,
    409: refused('The volume is being deleted, or was changed again and again meanwhile.'),
    412: refused('If-Match names another revision.'),
  },
  handle: (context, { params, body, ifMatch }) =>
    changeVolume(context, {
      id: params.id,
      attempts: INDEPENDENT_ATTEMPTS,
      ifMatch,
      decide: (stored) => {
        const volume = stored.value;
        if (volume.state === 'deleting') return { answer: wrongState(volume, 'exported') };
        if (sameRules(volume.exports, body.exports)) return { answer: unchanged(stored) };
        return { write: reexported(volume, body.exports, authorOf(context)) };
      },
    }),
});

export const volumeRoutes: readonly Route[] = [list, get, create, change, remove, changeExports];

function wrongState(volume: Volume, what: string): ApiResponse {
  return problem(409, 'conflict', `Volume ${volume.id} can't be ${what} while it is ${volume.state}.`);
}

function sameReservation(a: Reservation, b: Reservation): boolean {
  const text = ({ reserved_size, constraints }: Reservation): string =>
    JSON.stringify([reserved_size, Object.entries(constraints).sort()]);
  return text(a) === text(b);
}
