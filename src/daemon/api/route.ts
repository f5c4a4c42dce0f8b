// What an API call is, without any transport: a route is data, its handler a
// plain async function from a validated request to a response. fastify
// (server.ts) is one transport, a test or the simulator's network another.

import type { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Kv } from '../../kv/kv.ts';
import type { FieldError } from '../../model/parse.ts';

/** What handlers may use. `kv` is bounded: see deadline.ts. */
export interface ApiContext {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The node whose API this is: who writes. */
  readonly node: string;
  /** True while etcd answers linearizable reads; briefly cached. */
  readonly isReady: () => Promise<boolean>;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  /** The OpenAPI description of all routes. */
  readonly description: () => unknown;
}

/** JSON, or text as it is; a response without either has no body. */
export interface ApiResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
}

export interface ApiRequest<Params = Readonly<Record<string, string>>, Body = unknown> {
  readonly params: Params;
  readonly body: Body;
  /** The If-Match header as it came. */
  readonly ifMatch: string | undefined;
}

/** One documented answer of a route. */
export interface Answer {
  readonly description: string;
  /** Of the JSON body; without it there is no body, or it isn't JSON. */
  readonly schema?: z.ZodType;
  readonly contentType?: string;
  /** Header name to description. */
  readonly headers?: Readonly<Record<string, string>>;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Route {
  readonly method: Method;
  /** With parameters as `:name`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly body?: z.ZodType;
  /** True when If-Match is heeded. */
  readonly conditional?: boolean;
  /** True when it answers without etcd; all others answer 503 when etcd can't be reached. */
  readonly local?: boolean;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly handle: (context: ApiContext, request: ApiRequest) => Promise<ApiResponse>;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A route whose handler sees what its schemas make of the request. */
export function route<
  Params extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  definition: Omit<Route, 'params' | 'body' | 'handle'> & {
    readonly params?: Params;
    readonly body?: Body;
    readonly handle: (
      context: ApiContext,
      request: ApiRequest<Parsed<Params>, Parsed<Body>>,
    ) => Promise<ApiResponse>;
  },
): Route {
  // call.ts runs the schemas first, so the handler gets what it declares.
  return definition as unknown as Route;
}

/** Everything that isn't a success, in one shape. */
export interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly fields?: readonly FieldError[];
  };
}

/** `code` is stable; the message is for people and says what to do. */
export function problem(
  status: number,
  code: string,
  message: string,
  fields?: readonly FieldError[],
): ApiResponse {
  const error = fields === undefined ? { code, message } : { code, message, fields };
  return { status, json: { error } satisfies ErrorBody };
}
