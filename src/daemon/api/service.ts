// The calls about the API itself: health, metrics, description.

import { problem, type Route, route } from './route.ts';
import { errorView, statusView } from './schemas.ts';

const healthz = route({
  method: 'GET',
  path: '/healthz',
  id: 'getHealth',
  summary: 'Whether this process is alive.',
  local: true,
  open: true,
  answers: { 200: { description: 'It is.', schema: statusView } },
  handle: async () => ({ status: 200, json: { status: 'ok' } }),
});

const readyz = route({
  method: 'GET',
  path: '/readyz',
  id: 'getReadiness',
  summary: 'Whether etcd can be reached.',
  open: true,
  answers: {
    200: { description: 'It can.', schema: statusView },
    503: { description: "etcd can't be reached.", schema: errorView },
  },
  handle: async (context) =>
    (await context.isReady())
      ? { status: 200, json: { status: 'ready' } }
      : problem(503, 'unavailable', "etcd can't be reached."),
});

const metrics = route({
  method: 'GET',
  path: '/metrics',
  id: 'getMetrics',
  summary: 'Metrics of this process, for Prometheus.',
  local: true,
  answers: { 200: { description: 'Prometheus text format.', contentType: 'text/plain' } },
  handle: async (context) => {
    const { text, contentType } = await context.metrics();
    return { status: 200, headers: { 'content-type': contentType }, text };
  },
});

const openapi = route({
  method: 'GET',
  path: '/openapi.json',
  id: 'getDescription',
  summary: 'This description.',
  local: true,
  answers: { 200: { description: 'OpenAPI 3.1.', contentType: 'application/json' } },
  handle: async (context) => ({ status: 200, json: context.description() }),
});

export const serviceRoutes: readonly Route[] = [healthz, readyz, metrics, openapi];
