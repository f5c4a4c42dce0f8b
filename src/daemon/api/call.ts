// From a raw call to a response: validation before the handler, and one place
// where what was thrown becomes a status.

import { z } from 'zod';
import { type ErrorCode, hasCode } from '../../base/errors.ts';
import { hex } from '../../base/random.ts';
import { fieldErrors } from '../../model/parse.ts';
import { traceIdOf } from '../../model/trace.ts';
import { withDeadline } from './deadline.ts';
import { type ApiContext, type ApiResponse, invalid, problem, type Route } from './route.ts';
import { isIfMatch } from './stored.ts';

/** Leaves half a second of the promised 2 s to the network and a busy machine. */
export const CALL_TIMEOUT_MS = 1500;

/** What a transport hands over: nothing of it is trusted yet. */
export interface RawCall {
  readonly params?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly lastEventId?: string | undefined;
  readonly traceparent?: string | undefined;
  /** Default: it never fires. */
  readonly signal?: AbortSignal;
}

/** A parameter that means nothing was meant for something: silence would mislead. */
const NO_QUERY = z.strictObject({});

/** Never rejects: whatever goes wrong is a response, too. */
export async function callRoute(context: ApiContext, route: Route, raw: RawCall): Promise<ApiResponse> {
  const params = route.params?.safeParse(raw.params ?? {});
  const query = (route.query ?? NO_QUERY).safeParse({ ...(raw.query ?? {}) });
  const body = route.body?.safeParse(raw.body);
  const failures = [params, query, body].flatMap((part) => (part?.success === false ? [part.error] : []));
  const fields = failures.flatMap(fieldErrors);
  if (route.conditional === true && raw.ifMatch !== undefined && !isIfMatch(raw.ifMatch)) {
    fields.push({ path: 'If-Match', message: 'must be * or entity tags, such as "12", with commas between' });
  }
  if (fields.length > 0) return invalid(fields);
  const kv = withDeadline({ kv: context.kv, clock: context.clock, timeoutMs: CALL_TIMEOUT_MS });
  try {
    const traced = { ...context, ...traceOf(context, route, raw.traceparent) };
    const response = await route.handle(
      { ...traced, kv },
      {
        params: (params?.data ?? {}) as Record<string, string>,
        query: query.data ?? {},
        body: body?.data,
        ifMatch: raw.ifMatch,
        lastEventId: raw.lastEventId,
        signal: raw.signal ?? new AbortController().signal,
      },
    );
    if (route.method === 'GET') return unlessKnown(response, raw.ifNoneMatch);
    if (response.status === 202)
      traced.log.info('api.accepted', { call: route.id, ...subjectOf(route, response) });
    return response;
  } catch (error) {
    return responseTo(context, route, error);
  }
}

/** A change has the client's trace id, or one of its own. */
function traceOf(
  { log, random }: ApiContext,
  { method }: Route,
  traceparent: string | undefined,
): Partial<Pick<ApiContext, 'trace' | 'log'>> {
  if (method === 'GET') return {};
  const trace = traceIdOf(traceparent) ?? hex(random, 32);
  return { trace, log: log.child({ trace }) };
}

/** The volume that it is about, if it is about one. */
function subjectOf({ path }: Route, { json }: ApiResponse): { readonly volume?: unknown } {
  return path.startsWith('/volumes') ? { volume: (json as { readonly id?: unknown } | undefined)?.id } : {};
}

/** If-None-Match of RFC 9110, section 13.1.2: a client that has this very answer needn't get it again. */
function unlessKnown(response: ApiResponse, ifNoneMatch: string | undefined): ApiResponse {
  const etag = response.headers?.etag;
  if (response.status !== 200 || etag === undefined || ifNoneMatch === undefined) return response;
  const known = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(etag) ? { status: 304, headers: { etag } } : response;
}

const WHY_NOT: Readonly<Partial<Record<ErrorCode, string>>> = {
  timeout: 'etcd did not answer in time.',
  compacted: 'etcd has forgotten what was being read.',
};

/** What waiting alone doesn't mend, but somebody who sees to etcd or to this node's settings. */
const REFUSED = "etcd refuses this node, or holds another version's cluster; the node's log says more.";

function responseTo(context: ApiContext, route: Route, error: unknown): ApiResponse {
  if (
    hasCode(error, 'unsupported') ||
    (hasCode(error, 'unavailable') && hasCode(error.cause, 'unsupported'))
  ) {
    return {
      ...problem(503, 'unavailable', `${REFUSED} Nothing was changed.`),
      headers: { 'retry-after': '5' },
    };
  }
  if (hasCode(error, 'unavailable', 'timeout', 'aborted', 'compacted')) {
    const isSettled = error.definite || route.method === 'GET';
    const retry = isSettled ? 'Nothing was changed.' : 'A change may or may not have been made.';
    return {
      ...problem(503, 'unavailable', `${WHY_NOT[error.code] ?? "etcd can't be reached."} ${retry}`),
      headers: { 'retry-after': '1' },
    };
  }
  if (hasCode(error, 'conflict')) return problem(409, 'conflict', error.message);
  context.log.error('api.failed', { method: route.method, path: route.path, cause: error });
  return problem(500, 'internal', 'The call failed for a reason of its own; the log says more.');
}
