// The calls on /nodes that look.

import { ETAG, refused } from './answers.ts';
import {
  listKnownNodes,
  nodeEtag,
  nodeViewOf,
  observeNode,
  readVolumes,
  reservedByNode,
} from './node-view.ts';
import { type ApiResponse, problem, type Route, route } from './route.ts';
import { nodeParams, nodesQuery, nodesView, nodeView } from './schemas.ts';

export const missingNode = (name: string): ApiResponse =>
  problem(404, 'not_found', `No node is called ${name}.`);

export const absentNode = refused('No node has that name.');

const list = route({
  method: 'GET',
  path: '/nodes',
  id: 'listNodes',
  summary: 'Every node whose agent is alive, by name, page by page; those that are away on request.',
  query: nodesQuery,
  answers: { 200: { description: 'A page of nodes.', schema: nodesView } },
  handle: async (context, { query }) => {
    const { limit, after = '', alive } = query;
    // In this order: see observeNode.
    const reserved = reservedByNode(await readVolumes(context));
    const known = await listKnownNodes(context);
    const asked = known.filter(
      ({ name, live }) => name > after && (alive === 'any' || (live !== undefined) === (alive === 'true')),
    );
    const nodes = asked.slice(0, limit).map((node) => nodeViewOf(node, reserved.get(node.name)));
    const next = asked.length > limit ? (nodes.at(-1)?.name ?? null) : null;
    return { status: 200, json: { nodes, next } };
  },
});

const get = route({
  method: 'GET',
  path: '/nodes/:name',
  id: 'getNode',
  summary: 'One node, alive or away.',
  params: nodeParams,
  answers: { 200: { description: 'The node.', schema: nodeView, headers: ETAG }, 404: absentNode },
  handle: async (context, { params }) => {
    const found = await observeNode(context, params.name);
    if (found === undefined) return missingNode(params.name);
    const { known, reserved } = found;
    return {
      status: 200,
      headers: { etag: nodeEtag(known, reserved) },
      json: nodeViewOf(known, reserved),
    };
  },
});

export const nodeRoutes: readonly Route[] = [list, get];
