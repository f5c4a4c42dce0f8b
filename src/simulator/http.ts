// HTTP of the rig's own clients in simulated time: to the nodes' APIs, and to
// consumers, who carry files to and from NFS servers. No link's fault touches it.

import { untilAborted } from '../base/abortable.ts';
import { abortError } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { ApiResponse } from '../daemon/api/route.ts';
import { type NfsHost, performIo } from '../hardware/consumer.ts';
import { someMs } from '../hardware/wires.ts';
import { parseIoRequest } from '../rig/consumer/protocol.ts';
import type { HttpRequest, HttpResponse } from '../rig/deployment.ts';
import { answerCall } from './api-calls.ts';
import type { SimulatedNode } from './node.ts';
import { doneBy, madeBy, noticedBy } from './process.ts';
import type { SimulatedApi } from './role-processes.ts';
import type { World } from './world.ts';

/** From the rig to a member, one way. */
const WAY_MS = { least: 0.2, most: 1.5 };

export interface HttpOptions {
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly world: World;
  readonly random: Random;
}

export async function fetchSimulated(
  options: HttpOptions,
  url: string,
  request: HttpRequest = {},
): Promise<HttpResponse> {
  const { rig } = options.world;
  const { hostname, pathname, search } = new URL(url);
  const over = new AbortController();
  const { timeoutMs, signal } = request;
  const given = Promise.withResolvers<never>();
  given.promise.catch(() => undefined);
  const giveUp = (reason: Error): void => {
    given.reject(reason);
    over.abort(reason);
  };
  const onAbort = (): void => giveUp(abortError(signal));
  if (signal?.aborted) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const cancel =
    timeoutMs === undefined
      ? undefined
      : rig.clock.after(timeoutMs, () => giveUp(new Error('The operation was aborted due to timeout')));
  const node = options.nodes.get(hostname);
  const path = `${pathname}${search}`;
  const answer =
    node === undefined
      ? askConsumer(options, hostname, { ...request, over: over.signal })
      : askApi(options, node, { ...request, path, over: over.signal });
  try {
    return await Promise.race([answer, given.promise]);
  } finally {
    cancel?.();
  }
}

type Asked = HttpRequest & { readonly over: AbortSignal };

async function askApi(
  { world, random }: HttpOptions,
  node: SimulatedNode,
  request: Asked & { readonly path: string },
): Promise<HttpResponse> {
  const way = (): Promise<void> => world.rig.clock.sleep(someMs(WAY_MS.least, WAY_MS.most, random));
  await way();
  const { api } = node;
  // A frozen container still has its port.
  if (api === undefined) throw refused(node.name);
  const { method = 'GET', path, headers = {}, body, over } = request;
  const signal = noticedBy(api.process, over);
  const call = { method, path, headers, body, signal };
  try {
    const response = await doneBy(api.process, () => answerCall(api.context, call));
    await way();
    return responseOf(response, { api, over, way });
  } catch (cause) {
    throw new TypeError('fetch failed', { cause: new Error('other side closed', { cause }) });
  }
}

const refused = (member: string): Error => {
  const cause = Object.assign(new Error(`connect ECONNREFUSED ${member}`), { code: 'ECONNREFUSED' });
  return new TypeError('fetch failed', { cause });
};

async function askConsumer(options: HttpOptions, consumer: string, request: Asked): Promise<HttpResponse> {
  const { world, random, nodes } = options;
  await world.rig.clock.sleep(someMs(WAY_MS.least, WAY_MS.most, random));
  const io = parseIoRequest(request.body ?? '');
  const { clock } = world.rig;
  const { carry } = world.wires;
  const address = world.addressOf(consumer);
  const hostOf = (name: string): NfsHost | undefined => hostAt(nodes.get(name));
  const answer = await performIo({ clock, random, carry, hostOf, consumer, address }, io);
  return answered({ status: 200, json: answer });
}

function hostAt(node: SimulatedNode | undefined): NfsHost | undefined {
  const host = node?.host;
  if (node === undefined || host === undefined) return undefined;
  const { storage, nfs } = node;
  return { storage, nfs, work: (work) => doneBy(host, () => work((ms) => host.clock.sleep(ms))) };
}

function responseOf(
  response: ApiResponse,
  way: { readonly api: SimulatedApi; readonly over: AbortSignal; readonly way: () => Promise<void> },
): HttpResponse {
  if (response.stream === undefined) return answered(response);
  return { ...answered(response), body: carried(madeBy(way.api.process, response.stream), way) };
}

function answered({ status, headers = {}, json, text }: ApiResponse): HttpResponse {
  const written = json === undefined ? (text ?? '') : JSON.stringify(json);
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    status,
    headers: { get: (name) => byName.get(name.toLowerCase()) ?? null },
    body: null,
    text: async () => written,
    json: async () => JSON.parse(written) as unknown,
  };
}

/** Ends with an error when the client hangs up, or whoever sends it dies. */
async function* carried(
  stream: AsyncIterable<string>,
  { over, way }: { readonly over: AbortSignal; readonly way: () => Promise<void> },
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const text of untilAborted(stream, over, () => RigError.from(over.reason))) {
    await way();
    yield encoder.encode(text);
  }
}
