// What other nodes may ask of this agent (daemon/peers.ts has the calls). Only
// processes that know the cluster's secret are answered, and only about this node.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { copyNameSchema, isVolumeId } from '../../model/names.ts';
import type { Handler, IncomingRequest, NetworkResponse } from '../../network/network.ts';
import type { Storage } from '../../storage/storage.ts';
import { callerOf } from '../peer-auth.ts';
import type { Secret } from '../secret.ts';
import { hasCopy } from './move/context.ts';
import type { Digests } from './move/digests.ts';
import type { Receiver } from './move/receiver.ts';
import { createNonces } from './nonces.ts';

export interface PeerServerOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly secret: Secret;
  readonly node: string;
  readonly receiver: Receiver;
  readonly digests: Digests;
}

/** Strangers' attempts must not become reads of etcd. */
const SECRET_AGE_MS = 1000;

export function createPeerServer(options: PeerServerOptions): Handler {
  const { clock, log, secret, node } = options;
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<string | undefined> = Promise.resolve(undefined);
  const nonces = createNonces(clock);

  /** The cluster may have got another secret since it was read. A stranger's call doesn't make one. */
  const authenticate = async (request: IncomingRequest) => {
    const callerBy = (known: string | undefined) =>
      known === undefined ? undefined : callerOf(request, known);
    const caller = callerBy(await reading);
    if (caller !== undefined) return caller;
    if (clock.monotonicMs() - readAtMs >= SECRET_AGE_MS) {
      readAtMs = clock.monotonicMs();
      secret.forget();
      reading = secret.find();
      reading.catch(() => {
        readAtMs = Number.NEGATIVE_INFINITY;
        reading = Promise.resolve(undefined);
      });
    }
    return callerBy(await reading);
  };

  return async (request) => {
    const { method } = request;
    try {
      const caller = await authenticate(request);
      if (caller === undefined) return refusal(401, 'this call was not made by a node of the cluster');
      if (caller.to !== node) return refusal(421, `this is node ${node}`);
      if (!nonces.isNew(caller.nonce)) return refusal(401, 'this call was made before');
      const route = routeOf(request);
      return route === undefined
        ? refusal(400, 'there is no such call')
        : await carryOut(options, { request, route, caller: caller.from });
    } catch (error) {
      const cause = RigError.from(error);
      const status = STATUSES[cause.code] ?? 500;
      // The caller's own going away is told there.
      if (status >= 500 && !request.signal.aborted) log.warn('peer.failed', { method, cause });
      return refusal(status, status === 500 ? 'the node could not do it' : cause.message);
    }
  };
}

const STATUSES: Readonly<Partial<Record<RigError['code'], number>>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  unsupported: 422,
  unavailable: 503,
  timeout: 503,
  aborted: 503,
};

type Route =
  | { readonly kind: 'usage' | 'copies'; readonly id: string }
  | { readonly kind: 'receive'; readonly id: string; readonly name: string; readonly base: string | null }
  | { readonly kind: 'digest' | 'discard'; readonly id: string; readonly name: string };

/** Undefined for anything but the calls there are, with well-formed ids and names. */
function routeOf({ method, path }: Pick<IncomingRequest, 'method' | 'path'>): Route | undefined {
  const [, folder, id = '', name, digest, query] =
    /^\/(volumes|copies)\/([^/?]+)(?:\/([^/?]+)(\/digest)?)?(?:\?base=([^&]*))?$/.exec(path) ?? [];
  const isName = (text: string): boolean => copyNameSchema.safeParse(text).success;
  if (!isVolumeId(id) || (name !== undefined && !isName(name))) return undefined;
  const call = `${method} ${folder}${name === undefined ? '' : '/name'}${digest ?? ''}`;
  if (query !== undefined && (call !== 'PUT copies/name' || !isName(query))) return undefined;
  if (call === 'GET volumes') return { kind: 'usage', id };
  if (call === 'GET copies') return { kind: 'copies', id };
  if (folder !== 'copies' || name === undefined) return undefined;
  if (call === 'PUT copies/name') return { kind: 'receive', id, name, base: query ?? null };
  if (call === 'GET copies/name/digest') return { kind: 'digest', id, name };
  if (call === 'DELETE copies/name') return { kind: 'discard', id, name };
  return undefined;
}

async function carryOut(
  options: PeerServerOptions,
  call: { readonly request: IncomingRequest; readonly route: Route; readonly caller: string },
): Promise<NetworkResponse> {
  const { storage, receiver, digests } = options;
  const { request, route, caller } = call;
  switch (route.kind) {
    case 'usage': {
      const found = await storage.find(route.id);
      if (found === undefined) return refusal(404, `volume ${route.id} is not on this node`);
      return answer({ quotaBytes: found.quotaBytes, usedBytes: found.usedBytes });
    }
    case 'copies': {
      const found = (await storage.copies()).filter(({ id }) => id === route.id);
      return answer({ names: found.map(({ name }) => name) });
    }
    case 'receive': {
      const { body, signal } = request;
      const { id, name, base } = route;
      return answer({ sha256: await receiver.receive({ id, name }, { caller, base, body, signal }) });
    }
    case 'digest': {
      const { id, name } = route;
      const isGone = refusal(404, `copy ${name} of volume ${id} is not on this node`);
      if (!(await hasCopy(options, { id, name }))) return isGone;
      let digest: string | undefined;
      try {
        digest = await digests.of({ id, name });
      } catch (error) {
        // Discarded while it was read: the disk's complaint is not the answer.
        if (await hasCopy(options, { id, name })) throw error;
        return isGone;
      }
      return digest === undefined ? { status: 202, headers: {}, body: '' } : answer({ digest });
    }
    case 'discard':
      await receiver.discard({ id: route.id, name: route.name }, caller);
      return { status: 204, headers: {}, body: '' };
  }
}

function answer(value: object): NetworkResponse {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

function refusal(status: number, error: string): NetworkResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify({ error }) };
}
