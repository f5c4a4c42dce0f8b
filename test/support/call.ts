// Calls of an API by HTTP. Every answer is held against the API's description.

import { createSystemClock } from '../../src/base/clock.ts';
import type { Protection } from '../../src/daemon/api/route.ts';
import { createConformance } from './conforming.ts';

const clock = createSystemClock();

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects.
  readonly json: any;
  readonly ms: number;
}

/** A body that is text is sent as it is. Throws for an answer that isn't as described. */
export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

/** Compiled schemas are shared: most tests ask an API that asks for nothing. */
const unprotected = createConformance();

export function createCall(url: () => string, protection?: Protection): Call {
  const complaintOf = protection === undefined ? unprotected : createConformance(protection);
  return async (method, path, body, headers = {}) => {
    const startedMs = clock.monotonicMs();
    const response = await fetch(`${url()}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const { status } = response;
    const complaint = complaintOf({ method, path, status, headers: response.headers, text });
    if (complaint !== undefined) throw new Error(complaint);
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status,
      headers: response.headers,
      json: isJson ? JSON.parse(text) : text,
      ms: clock.monotonicMs() - startedMs,
    };
  };
}
