// The calls on /nodes.

import { nodeSchema } from '../../model/node.ts';
import { problem, type Route, route } from './route.ts';
import { errorView, nodeParams, nodesView } from './schemas.ts';
import { etagOf, listNodes, readNode } from './stored.ts';

const list = route({
  method: 'GET',
  path: '/nodes',
  id: 'listNodes',
  summary: 'Every node whose agent is alive.',
  answers: { 200: { description: 'All live nodes, by name.', schema: nodesView } },
  handle: async (context) => ({ status: 200, json: { nodes: await listNodes(context) } }),
});

const get = route({
  method: 'GET',
  path: '/nodes/:name',
  id: 'getNode',
  summary: 'One live node.',
  params: nodeParams,
  answers: {
    200: {
      description: 'The node.',
      schema: nodeSchema,
      headers: { etag: 'Modification revision, in quotes.' },
    },
    404: { description: 'No live node has that name.', schema: errorView },
  },
  handle: async (context, { params }) => {
    const stored = await readNode(context, params.name);
    if (stored === undefined) return problem(404, 'not_found', `No live node is called ${params.name}.`);
    return { status: 200, headers: { etag: etagOf(stored.modRevision) }, json: stored.value };
  },
});

export const nodeRoutes: readonly Route[] = [list, get];
