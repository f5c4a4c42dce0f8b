// Work on a volume that takes its time: to move it, defragment it, compress it.

import { specKey } from '../../kv/keys.ts';
import { requested, tasked } from '../../model/changes.ts';
import { satisfies } from '../../model/names.ts';
import { nodeSpecSchema } from '../../model/node.ts';
import { isIdle, type Task, type Volume } from '../../model/volume.ts';
import { absent, accepted, refused, same, stale } from './answers.ts';
import { authorOf, changeVolume, type Decision, unchangedVolume, wrongState } from './change.ts';
import { type ApiContext, type ApiRequest, type ApiResponse, problem, type Route, route } from './route.ts';
import { compressBody, defragmentBody, moveBody, volumeParams } from './schemas.ts';
import { readNode, readStored, type Stored } from './stored.ts';

const answers = {
  202: accepted,
  404: absent,
  409: refused('The volume is neither ready nor stuck with an error, or was changed meanwhile.'),
  412: stale,
};

const move = route({
  method: 'POST',
  path: '/volumes/:id/move',
  id: 'moveVolume',
  summary: 'Moves a volume to another node. Its clients stay connected until the last moment.',
  params: volumeParams,
  body: moveBody,
  conditional: true,
  answers: {
    ...answers,
    304: same,
    409: refused(
      "The volume is neither ready nor stuck with an error, or was changed meanwhile; or the node isn't registered, is draining, has a bad disk, or lacks a label.",
    ),
  },
  handle: (context, request) => {
    const { node = null } = request.body;
    return work(context, request, { kind: 'move', cause: 'asked', node, copy: null });
  },
});

const defragment = route({
  method: 'POST',
  path: '/volumes/:id/defragment',
  id: 'defragmentVolume',
  summary: "Rewrites a volume's files in long extents. Clones then share less with it.",
  params: volumeParams,
  body: defragmentBody,
  conditional: true,
  answers,
  handle: (context, request) => work(context, request, { kind: 'rewrite', compression: null }),
});

const compress = route({
  method: 'POST',
  path: '/volumes/:id/compress',
  id: 'compressVolume',
  summary: "Compresses a volume's files, and what is written to it from now on; `none` undoes that.",
  params: volumeParams,
  body: compressBody,
  conditional: true,
  answers,
  handle: (context, request) =>
    work(context, request, { kind: 'rewrite', compression: request.body.algorithm }),
});

export const taskRoutes: readonly Route[] = [move, defragment, compress];

function work(
  context: ApiContext,
  { params, ifMatch }: Pick<ApiRequest<{ readonly id: string }>, 'params' | 'ifMatch'>,
  task: Task,
): Promise<ApiResponse> {
  return changeVolume(context, {
    id: params.id,
    attempts: 1,
    ifMatch,
    decide: (stored) => decideTask(context, stored, task),
  });
}

async function decideTask(context: ApiContext, stored: Stored<Volume>, task: Task): Promise<Decision> {
  const volume = stored.value;
  const what = task.kind === 'move' ? 'moved' : 'rewritten';
  if (!isIdle(volume) || volume.actual === null) return { answer: wrongState(volume, what) };
  if (task.kind === 'move' && task.node !== null) {
    if (task.node === volume.node) return stayingThere(context, stored);
    const refusal = await unfitTarget(context, volume, task.node);
    if (refusal !== undefined) return { answer: refusal };
  }
  return { write: tasked(volume, task, authorOf(context)) };
}

/** It is there already: nothing to do, or what it is stuck with to be called off. */
async function stayingThere(context: ApiContext, stored: Stored<Volume>): Promise<Decision> {
  const volume = stored.value;
  if (volume.control.task === null) return { answer: await unchangedVolume(context, stored) };
  return { write: requested(volume, volume.requested, authorOf(context)) };
}

/** Why the volume can't move to a node, as far as that can be told before the engine sees to its room. */
async function unfitTarget(
  context: ApiContext,
  volume: Volume,
  name: string,
): Promise<ApiResponse | undefined> {
  const [node, spec] = await Promise.all([
    readNode(context, name),
    readStored(context, nodeSpecSchema, specKey(name)),
  ]);
  const why = (): string | undefined => {
    if (node === undefined) return "isn't registered";
    if (spec?.value.draining === true) return 'is draining';
    if (node.value.disk.state !== 'ok') return `has a disk that is ${node.value.disk.state}`;
    if (!satisfies(spec?.value.labels ?? node.value.labels, volume.requested.constraints)) {
      return 'lacks a label that the volume asks for';
    }
    return undefined;
  };
  const reason = why();
  if (reason === undefined) return undefined;
  return problem(409, 'unfit_node', `Node ${name} ${reason}; name another one, or none.`);
}
