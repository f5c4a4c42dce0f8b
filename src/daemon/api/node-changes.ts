// The calls on /nodes that change something: a node's spec, or its membership.

import { gibToBytes } from '../../base/units.ts';
import { nodeKey, specKey } from '../../kv/keys.ts';
import type { NodeSpec } from '../../model/node.ts';
import { reservationsOf } from '../../model/volume.ts';
import { ETAG, refused, same, stale } from './answers.ts';
import { unchanged } from './change.ts';
import {
  type KnownNode,
  nodeEtag,
  nodeViewOf,
  observeNode,
  type Reserved,
  readKnownNode,
  readVolumes,
  reservedByNode,
} from './node-view.ts';
import { absentNode, missingNode } from './nodes.ts';
import { type ApiContext, type ApiResponse, problem, type Route, route } from './route.ts';
import { changedNodeBody, nodeParams, nodeView } from './schemas.ts';
import { etagOf, matches } from './stored.ts';

const change = route({
  method: 'PUT',
  path: '/nodes/:name',
  id: 'changeNode',
  summary: "Changes a node's labels, its capacity, or whether it is drained. What isn't named stays.",
  params: nodeParams,
  body: changedNodeBody,
  conditional: true,
  answers: {
    202: { description: 'Accepted; the node as it is now.', schema: nodeView, headers: ETAG },
    304: same,
    404: absentNode,
    409: refused('More is reserved on it than the new capacity, or it was changed meanwhile.'),
    412: stale,
  },
  handle: async (context, { params: { name }, body, ifMatch }) => {
    const { known, reserved } = (await observeNode(context, name)) ?? {};
    // A node registers after its spec is kept, so one without a spec is about to go or to come.
    if (known?.spec === undefined || reserved === undefined) return missingNode(name);
    if (!matches(ifMatch, known.specRevision)) return staleNode(known);
    const spec: NodeSpec = {
      ...known.spec,
      labels: body.labels ?? known.spec.labels,
      draining: body.draining ?? known.spec.draining,
      capacity: body.capacity ?? known.spec.capacity,
    };
    if (sameSpec(spec, known.spec)) return unchanged({ value: spec, modRevision: known.specRevision });
    const refusal = body.capacity === undefined ? undefined : tooLittleFor(name, reserved, body.capacity);
    if (refusal !== undefined) return refusal;
    const { succeeded, revision } = await context.kv.transact({
      compare: [{ key: specKey(name), target: 'mod', equals: known.specRevision }],
      writes: [{ kind: 'put', key: specKey(name), value: JSON.stringify(spec) }],
    });
    if (!succeeded) return overtaken(name);
    if (spec.capacity < known.spec.capacity) {
      const refused = await takenBackIfTooLittle(context, { ...known, spec: known.spec }, { spec, revision });
      if (refused !== undefined) return refused;
    }
    const written: KnownNode = { ...known, spec, specRevision: revision };
    return {
      status: 202,
      headers: { etag: nodeEtag(written, reserved) },
      json: nodeViewOf(written, reserved),
    };
  },
});

const remove = route({
  method: 'DELETE',
  path: '/nodes/:name',
  id: 'deleteNode',
  summary: 'Forgets a node that is stopped and has no volumes. If it is started again it joins as a new one.',
  params: nodeParams,
  conditional: true,
  answers: {
    200: { description: 'It is forgotten; the node as it was.', schema: nodeView },
    404: absentNode,
    409: refused(
      'Its daemon is alive, or volumes are on it or on their way to it (`volumes`). Those that are being deleted go with it.',
    ),
    412: stale,
  },
  handle: async (context, { params: { name }, ifMatch }) => {
    const known = await readKnownNode(context, name);
    if (known === undefined) return missingNode(name);
    if (!matches(ifMatch, known.specRevision)) return staleNode(known);
    const refusal = alive(known) ?? (await inhabited(context, name));
    if (refusal !== undefined) return refusal;
    const { succeeded } = await context.kv.transact({
      compare: [
        // Its agent may have come back meanwhile.
        { key: nodeKey(name), target: 'create', equals: 0 },
        { key: specKey(name), target: 'mod', equals: known.specRevision },
      ],
      // Its disk's mark stays: the disk must know the cluster again if it comes back (agent/binding.ts).
      writes: [{ kind: 'delete', key: specKey(name) }],
    });
    return succeeded ? { status: 200, json: nodeViewOf(known) } : overtaken(name);
  },
});

export const nodeChangeRoutes: readonly Route[] = [change, remove];

function alive({ name, live }: KnownNode): ApiResponse | undefined {
  if (live === undefined) return undefined;
  const message = `Node ${name} is alive; drain it, stop its daemon, and wait until its lease has run out.`;
  return problem(409, 'alive', message);
}

/** Volumes that are being deleted don't count: the engine ends them when their node is forgotten. */
async function inhabited(context: ApiContext, name: string): Promise<ApiResponse | undefined> {
  const there = (await readVolumes(context)).filter(
    (volume) => volume.state !== 'deleting' && reservationsOf(volume).some(({ node }) => node === name),
  );
  if (there.length === 0) return undefined;
  const message = `Node ${name} has ${there.length} volumes; start it and drain it, or, if it is lost, delete them, then forget it: their files are lost with it.`;
  return problem(409, 'not_empty', message, { volumes: there.map(({ id }) => id) });
}

function tooLittleFor(name: string, { bytes }: Reserved, capacityGib: number): ApiResponse | undefined {
  if (bytes <= gibToBytes(capacityGib)) return undefined;
  const message = `On node ${name} ${bytes} bytes are reserved; ask for more than that, or move volumes away.`;
  return problem(409, 'too_small', message, { used_bytes: bytes });
}

/**
 * Whatever the engine reserved by the old spec is committed before the new one, and what it reserves from
 * here on is reserved by the new one: only now is it certain what the new capacity has to hold. Where that
 * is too much, the old spec comes back, unless somebody has written another one meanwhile.
 */
async function takenBackIfTooLittle(
  context: ApiContext,
  { name, spec: old }: KnownNode & { readonly spec: NodeSpec },
  written: { readonly spec: NodeSpec; readonly revision: number },
): Promise<ApiResponse | undefined> {
  const reserved = reservedByNode(await readVolumes(context)).get(name);
  const refusal = reserved && tooLittleFor(name, reserved, written.spec.capacity);
  if (refusal === undefined) return undefined;
  const key = specKey(name);
  const { succeeded } = await context.kv.transact({
    compare: [{ key, target: 'mod', equals: written.revision }],
    writes: [{ kind: 'put', key, value: JSON.stringify(old) }],
  });
  return succeeded ? refusal : overtaken(name);
}

function staleNode({ name, specRevision }: KnownNode): ApiResponse {
  return problem(412, 'stale', `Node ${name} is at ${etagOf(specRevision)}; read it again.`);
}

const overtaken = (name: string): ApiResponse =>
  problem(409, 'conflict', `Node ${name} was changed meanwhile; read it and try again.`);

function sameSpec(a: NodeSpec, b: NodeSpec): boolean {
  const text = ({ labels, draining, capacity }: NodeSpec): string =>
    JSON.stringify([Object.entries(labels).sort(), draining, capacity]);
  return text(a) === text(b);
}
