// One call through the network in memory (memory.ts).

import { abortError, type Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createProgressDeadline } from './deadline.ts';
import {
  type Bytes,
  callText,
  type Handler,
  LARGEST_ANSWER_BYTES,
  type NetworkRequest,
  type NetworkResponse,
} from './network.ts';
import { refuseLiteral } from './refuse.ts';

export interface Endpoint {
  readonly host: string;
  readonly handler: Handler;
  /** Ends what is under way. */
  readonly over: AbortController;
}

/** One way between two hosts. */
export interface Way {
  readonly from: string;
  readonly to: string;
  /** The host that opened the connection. */
  readonly opener: string;
}

export interface World {
  readonly clock: Clock;
  /** Resolves when so many bytes have arrived, rejects when the connection breaks; no more is waited for once `gone` fires. */
  readonly carry: (way: Way, bytes: number, gone: AbortSignal) => Promise<void>;
  /** By `<host>:<port>`. */
  readonly endpoints: Map<string, Endpoint>;
  /** By {@link linkOf} its two ends. */
  readonly cuts: Map<string, 'loud' | 'silent'>;
  /** Called whenever a link was cut or healed. */
  readonly watchers: Set<() => void>;
}

/** Of headers, or about. */
const REQUEST_BYTES = 400;

interface Caller {
  readonly host: string;
  readonly died: AbortSignal;
}

export const linkOf = (left: string, right: string): string => [left, right].sort().join(' ');

export async function callMemory(
  world: World,
  caller: Caller,
  request: NetworkRequest,
): Promise<NetworkResponse> {
  const { protocol, hostname, port, pathname, search } = new URL(request.url);
  const host = `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
  const endpoint = world.endpoints.get(host);
  const link = linkOf(caller.host, hostname);
  const refused = (why: string): RigError =>
    new RigError('unavailable', `${request.method} ${host}${pathname}: ${why}`);
  if (request.signal?.aborted) throw abortError(request.signal);
  refuseLiteral(request);
  if (caller.died.aborted) throw refused('the process is dead');
  if (world.cuts.get(link) === 'loud') throw refused('the link is cut');
  if (endpoint === undefined && !world.cuts.has(link)) throw refused('nobody listens');

  const connection = connect(world, { caller, endpoint, link, request });
  const body = carried(request.body, connection);
  const serve = async (): Promise<NetworkResponse> => {
    await connection.pass('there', REQUEST_BYTES);
    if (endpoint === undefined) throw refused('nobody listens');
    const answer = await endpoint
      .handler({
        method: request.method,
        path: `${pathname}${search}`,
        headers: lowerCased(request.headers ?? {}),
        body: body.stream,
        signal: connection.gone,
      })
      .catch((): NetworkResponse => ({ status: 500, headers: {}, body: '' }));
    await connection.pass('back', REQUEST_BYTES + answer.body.length);
    const fits = new TextEncoder().encode(answer.body).length <= LARGEST_ANSWER_BYTES;
    return fits ? { ...answer, headers: lowerCased(answer.headers) } : { status: 500, headers: {}, body: '' };
  };
  try {
    return await Promise.race([serve(), connection.failed]);
  } finally {
    connection.end();
    body.end();
  }
}

interface Connection {
  /** Rejects when the call fails, whatever the reason; never resolves. */
  readonly failed: Promise<never>;
  /** Fires with it: the other side's view. */
  readonly gone: AbortSignal;
  fail(error: unknown): void;
  /** Resolves when the link has let it through, which is progress. */
  pass(direction: 'there' | 'back', bytes: number): Promise<void>;
  /** The call is over. */
  end(): void;
}

function connect(
  world: World,
  options: {
    readonly caller: Caller;
    readonly endpoint: Endpoint | undefined;
    readonly link: string;
    readonly request: NetworkRequest;
  },
): Connection {
  const { caller, endpoint, link, request } = options;
  const { signal, timeoutMs } = request;
  const [opener, other] = [caller.host, new URL(request.url).hostname];
  const ways = {
    there: { from: opener, to: other, opener },
    back: { from: other, to: opener, opener },
  };
  const said = callText(request);
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  const gone = new AbortController();
  const fail = (error: unknown): void => {
    failure.reject(error);
    gone.abort();
  };
  const failAs = (code: 'unavailable' | 'timeout', why: string): void =>
    fail(new RigError(code, `${said}: ${why}`, { definite: false }));
  const deadline = createProgressDeadline({
    clock: world.clock,
    timeoutMs,
    onExpired: () => failAs('timeout', `nothing moved for ${timeoutMs} ms`),
  });
  const onAbort = (): void => fail(abortError(signal));
  const onDeath = (): void => failAs('unavailable', 'the connection broke');
  const onLink = (): void => {
    if (world.cuts.get(link) === 'loud') onDeath();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  caller.died.addEventListener('abort', onDeath, { once: true });
  endpoint?.over.signal.addEventListener('abort', onDeath, { once: true });
  world.watchers.add(onLink);
  return {
    failed: failure.promise,
    gone: gone.signal,
    fail,
    pass: async (direction, bytes) => {
      const passing = async (): Promise<void> => {
        await flowing(world, link, gone.signal);
        await world.carry(ways[direction], bytes, gone.signal).catch(onDeath);
      };
      await Promise.race([passing(), failure.promise]);
      deadline.progress();
    },
    end: () => {
      deadline.cancel();
      world.watchers.delete(onLink);
      signal?.removeEventListener('abort', onAbort);
      caller.died.removeEventListener('abort', onDeath);
      endpoint?.over.signal.removeEventListener('abort', onDeath);
    },
  };
}

/** Resolves when the link isn't cut, or nobody waits for it any more. */
function flowing(world: World, link: string, gone: AbortSignal): Promise<void> {
  if (!world.cuts.has(link) || gone.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const watcher = (): void => {
      if (world.cuts.has(link) && !gone.aborted) return;
      world.watchers.delete(watcher);
      gone.removeEventListener('abort', watcher);
      resolve();
    };
    world.watchers.add(watcher);
    gone.addEventListener('abort', watcher);
  });
}

/** The caller's body as the handler reads it: at the handler's pace. `end`: whatever makes it stops. */
function carried(
  body: string | Bytes | undefined,
  connection: Connection,
): { readonly stream: Bytes; readonly end: () => void } {
  const chunks = typeof body === 'string' ? single(new TextEncoder().encode(body)) : (body ?? nothing());
  const source = chunks[Symbol.asyncIterator]();
  async function* stream(): Bytes {
    try {
      for (;;) {
        const pulled = source.next().catch((error: unknown) => {
          // The source's own failure is what its caller hears of.
          connection.fail(error);
          throw error;
        });
        const next = await Promise.race([pulled, connection.failed]);
        if (next.done) return;
        await connection.pass('there', next.value.length);
        yield next.value;
      }
    } catch (cause) {
      throw new RigError('unavailable', 'the caller went away', { definite: false, cause });
    }
  }
  // Not waited for: it may stand as still as the link does.
  const end = (): void => void source.return?.()?.catch(() => undefined);
  return { stream: stream(), end };
}

async function* nothing(): Bytes {}

async function* single(chunk: Uint8Array): Bytes {
  yield chunk;
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
