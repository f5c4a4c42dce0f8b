// What an API call is, without any transport: a route is data, its handler a
// plain async function from a validated request to a response. fastify
// (server.ts) is one transport, a test or the simulator's network another.

import type { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Kv } from '../../kv/kv.ts';
import type { FieldError } from '../../model/parse.ts';
import type { EventHub } from './events-hub.ts';

/** How clients must prove who they are; for the description. */
export interface Protection {
  readonly token: boolean;
  readonly certificate: boolean;
}

/** What handlers may use. `kv` is bounded: see deadline.ts. */
export interface ApiContext {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The node whose API this is: who writes. */
  readonly node: string;
  /** Of the call that is being answered, where it changes anything. */
  readonly trace?: string;
  /** Bytes that a volume holds, as the agent of its node says; rejects or answers undefined when that can't be asked. */
  readonly usage?: (node: string, id: string) => Promise<{ readonly usedBytes: number } | undefined>;
  /** Whether callbacks may lead to the engine's own host. Default: false. */
  readonly loopbackCallbacks?: boolean;
  /** The cluster's events, for streams. */
  readonly events: EventHub;
  /** True while etcd answers linearizable reads; briefly cached. */
  readonly isReady: () => Promise<boolean>;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly text: string; readonly contentType: string }>;
  /** The OpenAPI description of all routes. */
  readonly description: () => unknown;
}

/** JSON, text as it is, or a stream; a response without any has no body. */
export interface ApiResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  /** Sent as it comes, at the client's pace; ended when the client goes away or the API stops. */
  readonly stream?: AsyncIterable<string>;
  /** With a stream: fires when the client doesn't take it; its connection is then to be cut. */
  readonly cutOff?: AbortSignal;
}

export interface ApiRequest<
  Params = Readonly<Record<string, string>>,
  Body = unknown,
  Query = Readonly<Record<string, unknown>>,
> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Headers as they came. */
  readonly ifMatch: string | undefined;
  readonly lastEventId: string | undefined;
  /** Fires when the client goes away, and when the API stops. Only a stream has reason to heed it. */
  readonly signal: AbortSignal;
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
  /** Default: none are known, and any is refused. */
  readonly query?: z.ZodObject;
  /** One that takes `undefined` may be left out. */
  readonly body?: z.ZodType;
  /** True when If-Match is heeded. */
  readonly conditional?: boolean;
  /** True when Last-Event-ID is heeded. */
  readonly resumable?: boolean;
  /** True when it answers without etcd; all others answer 503 when etcd can't be reached. */
  readonly local?: boolean;
  /** True when anybody may ask, as often as they like: probes have no token. */
  readonly open?: boolean;
  readonly answers: Readonly<Record<number, Answer>>;
  readonly handle: (context: ApiContext, request: ApiRequest) => Promise<ApiResponse>;
}

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A route whose handler sees what its schemas make of the request. */
export function route<
  Params extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
>(
  definition: Omit<Route, 'params' | 'query' | 'body' | 'handle'> & {
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
    readonly handle: (
      context: ApiContext,
      request: ApiRequest<Parsed<Params>, Parsed<Body>, Parsed<Query>>,
    ) => Promise<ApiResponse>;
  },
): Route {
  // call.ts runs the schemas first, so the handler gets what it declares.
  return definition as unknown as Route;
}

/** What an error tells besides code and message, for programs. */
export interface ErrorDetails {
  readonly fields?: readonly FieldError[];
  /** Ids of the volumes that stand in the way. */
  readonly volumes?: readonly string[];
  /** Bytes that the volume holds. */
  readonly used_bytes?: number;
}

/** Everything that isn't a success, in one shape. */
export interface ErrorBody {
  readonly error: ErrorDetails & { readonly code: string; readonly message: string };
}

/** `code` is stable; the message is for people and says what to do. */
export function problem(
  status: number,
  code: string,
  message: string,
  details: ErrorDetails = {},
): ApiResponse {
  return { status, json: { error: { code, message, ...details } } satisfies ErrorBody };
}

/** A request that says what it must not, and where. */
export function invalid(fields: readonly FieldError[]): ApiResponse {
  return problem(400, 'invalid', 'The request is malformed.', { fields });
}
