// The API without HTTP: a call by method, path and headers, answered by the same
// routes as behind fastify (daemon/api/server.ts), whose refusals this repeats.

import { callRoute } from '../daemon/api/call.ts';
import { createMethodLookup } from '../daemon/api/methods.ts';
import { NO_SUCH_CALL, wrongMethod } from '../daemon/api/refusals.ts';
import { type ApiContext, type ApiResponse, problem, type Route } from '../daemon/api/route.ts';
import { ROUTES } from '../daemon/api/routes.ts';

export interface ApiCall {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Fires when the client has gone. */
  readonly signal: AbortSignal;
}

const methodsOf = createMethodLookup(ROUTES);
const PATTERNS_BY_METHOD: ReadonlyMap<
  string,
  readonly { readonly route: Route; readonly pattern: RegExp }[]
> = Map.groupBy(
  ROUTES.map((route) => ({
    route,
    pattern: new RegExp(`^${route.path.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`),
  })),
  ({ route }) => route.method,
);

/** Never rejects. */
export async function answerCall(context: ApiContext, call: ApiCall): Promise<ApiResponse> {
  const [path = '', query = ''] = call.path.split('?');
  const found = routeOf(call.method, path);
  if (found === undefined) {
    const methods = methodsOf(call.path);
    return methods.length === 0 ? NO_SUCH_CALL : wrongMethod(methods);
  }
  const body = parsed(call.body);
  if (body === MALFORMED) return problem(400, 'malformed', 'The body is not JSON.');
  return callRoute(context, found.route, {
    params: found.params,
    query: found.route.local === true || query === '' ? {} : Object.fromEntries(new URLSearchParams(query)),
    body,
    ifMatch: call.headers['if-match'],
    ifNoneMatch: call.headers['if-none-match'],
    lastEventId: call.headers['last-event-id'],
    traceparent: call.headers.traceparent,
    signal: call.signal,
  });
}

function routeOf(method: string, path: string) {
  for (const { route, pattern } of PATTERNS_BY_METHOD.get(method) ?? []) {
    const match = pattern.exec(path);
    if (match !== null) return { route, params: { ...match.groups } };
  }
  return undefined;
}

const MALFORMED = Symbol('no JSON');

function parsed(body: string | undefined): unknown {
  if (body === undefined || body === '') return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return MALFORMED;
  }
}
