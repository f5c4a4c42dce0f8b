// From a raw call to a response: validation before the handler, and one place
// where what was thrown becomes a status.

import { hasCode } from '../../base/errors.ts';
import { fieldErrors } from '../../model/parse.ts';
import { withDeadline } from './deadline.ts';
import { type ApiContext, type ApiResponse, problem, type Route } from './route.ts';

/** Leaves half a second of the promised 2 s to the network and a busy machine. */
export const CALL_TIMEOUT_MS = 1500;

/** What a transport hands over: nothing of it is trusted yet. */
export interface RawCall {
  readonly params?: unknown;
  readonly body?: unknown;
  readonly ifMatch?: string | undefined;
}

/** Never rejects: whatever goes wrong is a response, too. */
export async function callRoute(context: ApiContext, route: Route, raw: RawCall): Promise<ApiResponse> {
  const params = route.params?.safeParse(raw.params ?? {});
  const body = route.body?.safeParse(raw.body);
  const failures = [params, body].flatMap((part) => (part?.success === false ? [part.error] : []));
  if (failures.length > 0) {
    return problem(400, 'invalid', 'The request is malformed.', failures.flatMap(fieldErrors));
  }
  const kv = withDeadline({ kv: context.kv, clock: context.clock, timeoutMs: CALL_TIMEOUT_MS });
  try {
    return await route.handle(
      { ...context, kv },
      { params: (params?.data ?? {}) as Record<string, string>, body: body?.data, ifMatch: raw.ifMatch },
    );
  } catch (error) {
    return responseTo(context, route, error);
  }
}

function responseTo(context: ApiContext, route: Route, error: unknown): ApiResponse {
  if (hasCode(error, 'unavailable', 'timeout', 'aborted')) {
    const retry = error.definite ? 'Nothing was changed.' : 'A change may or may not have been made.';
    return {
      ...problem(503, 'unavailable', `etcd can't be reached. ${retry}`),
      headers: { 'retry-after': '1' },
    };
  }
  if (hasCode(error, 'conflict')) return problem(409, 'conflict', error.message);
  context.log.error('api.failed', { method: route.method, path: route.path, cause: error });
  return problem(500, 'internal', 'The call failed for a reason of its own; the log says more.');
}
