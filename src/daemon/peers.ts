// What the processes of a cluster ask other nodes' agents for: agents, to move
// volumes; APIs, for what only a disk knows. agent/peer-server.ts answers.
//
//   GET    /volumes/<id>                     { quotaBytes, usedBytes }
//   GET    /copies/<id>                      { names }: the complete copies
//   PUT    /copies/<id>/<name>?base=<name>   a stream; { sha256 } of what was received
//   GET    /copies/<id>/<name>/digest        { digest }; 202 while it is computed
//   DELETE /copies/<id>/<name>

import { z } from 'zod';
import { type ErrorCode, RigError } from '../base/errors.ts';
import { hex, type Random } from '../base/random.ts';
import { nodeKey } from '../kv/keys.ts';
import type { Kv } from '../kv/kv.ts';
import { checkedCopyName, checkedVolumeId, copyNameSchema } from '../model/names.ts';
import { nodeSchema } from '../model/node.ts';
import { parseStored } from '../model/parse.ts';
import type { Bytes, Network, NetworkRequest, NetworkResponse } from '../network/network.ts';
import { peerHeaders } from './peer-auth.ts';
import type { Secret } from './secret.ts';

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
export const usageSchema = z.strictObject({
  /** Null when none was set. */
  quotaBytes: z.int().nonnegative().nullable(),
  usedBytes: z.int().nonnegative(),
});
export const copiesSchema = z.strictObject({ names: z.array(copyNameSchema) });
export const receivedSchema = z.strictObject({ sha256: sha256Schema });
export const digestSchema = z.strictObject({ digest: sha256Schema });
export const refusalSchema = z.looseObject({ error: z.string() });

export type Usage = z.infer<typeof usageSchema>;

/** Short enough for an API to give its client an answer nevertheless. */
const ASK_TIMEOUT_MS = 1500;
/** A receiver may take so long to bring the end of a stream to its disk. */
const STREAM_TIMEOUT_MS = 60_000;
/** Longer than the other side waits before it answers that it is still computing. */
const DIGEST_TIMEOUT_MS = 30_000;

export interface PeerCopy {
  readonly id: string;
  readonly name: string;
}

/**
 * Rejects with `unavailable` when the node has no agent that answers, `timeout`, `aborted`, `conflict` when the
 * other side finds that it may not, `unsupported` when it won't be able to before people have seen to something there,
 * `not_found`, and as the store does.
 */
export interface Peers {
  /** Undefined when the volume isn't on that node's disk. `timeoutMs`: default 1,500. */
  usage(node: string, id: string, options?: { readonly timeoutMs?: number }): Promise<Usage | undefined>;
  /** Names of the complete copies of a volume. */
  copies(node: string, id: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** Answers with the SHA-256 of what the other side has received and keeps as a copy. */
  send(
    node: string,
    copy: PeerCopy,
    stream: { readonly body: Bytes; readonly base: string | null; readonly signal: AbortSignal },
  ): Promise<string>;
  /** Of a copy's contents (Storage.digest); takes as long as the other side's disk. */
  digest(node: string, copy: PeerCopy, signal: AbortSignal): Promise<string>;
  /** Absent is fine. */
  discard(node: string, copy: PeerCopy, signal?: AbortSignal): Promise<void>;
}

export interface PeersOptions {
  readonly kv: Kv;
  readonly network: Network;
  readonly random: Random;
  readonly secret: Secret;
  /** This node. */
  readonly node: string;
}

export function createPeers(options: PeersOptions): Peers {
  const call = async (to: string, request: CallOptions): Promise<NetworkResponse> => {
    const response = await callOnce(options, to, request);
    if (response.status !== 401) return response;
    // The cluster may have got another secret. A stream can't be sent twice.
    options.secret.forget();
    return typeof request.body === 'object' ? response : callOnce(options, to, request);
  };
  const ask = async <S extends z.ZodType>(
    to: string,
    { schema, ...request }: CallOptions & { readonly schema: S },
  ): Promise<z.output<S>> => answerOf(await call(to, request), { schema, to, ...request });

  return {
    usage: async (node, id, { timeoutMs = ASK_TIMEOUT_MS } = {}) => {
      const request: CallOptions = { method: 'GET', path: `/volumes/${checkedVolumeId(id)}`, timeoutMs };
      const response = await call(node, request);
      if (response.status === 404) return undefined;
      return answerOf(response, { schema: usageSchema, to: node, ...request });
    },
    copies: async (node, id, signal) => {
      const path = `/copies/${checkedVolumeId(id)}`;
      const timeoutMs = ASK_TIMEOUT_MS;
      return (await ask(node, { method: 'GET', path, timeoutMs, signal, schema: copiesSchema })).names;
    },
    send: async (node, copy, { body, base, signal }) => {
      const query = base === null ? '' : `?base=${checkedCopyName(base)}`;
      const path = `${pathOf(copy)}${query}`;
      const timeoutMs = STREAM_TIMEOUT_MS;
      return (await ask(node, { method: 'PUT', path, body, timeoutMs, signal, schema: receivedSchema }))
        .sha256;
    },
    digest: async (node, copy, signal) => {
      const path = `${pathOf(copy)}/digest`;
      const request: CallOptions = { method: 'GET', path, timeoutMs: DIGEST_TIMEOUT_MS, signal };
      for (;;) {
        // The other side holds the answer back for a while: this doesn't turn in circles.
        const response = await call(node, request);
        if (response.status !== 202) {
          return answerOf(response, { schema: digestSchema, to: node, ...request }).digest;
        }
      }
    },
    discard: async (node, copy, signal) => {
      const timeoutMs = STREAM_TIMEOUT_MS;
      await ask(node, { method: 'DELETE', path: pathOf(copy), timeoutMs, signal, schema: z.unknown() });
    },
  };
}

type CallOptions = Pick<NetworkRequest, 'method' | 'body' | 'timeoutMs'> & {
  readonly path: string;
  readonly signal?: AbortSignal | undefined;
};

const pathOf = ({ id, name }: PeerCopy): string => `/copies/${checkedVolumeId(id)}/${checkedCopyName(name)}`;

async function callOnce(options: PeersOptions, to: string, request: CallOptions): Promise<NetworkResponse> {
  const { network, random, node: from } = options;
  const [agent, secret] = await Promise.all([agentOf(options, to), options.secret.get()]);
  const { path, signal, body, ...rest } = request;
  return network.call({
    ...rest,
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
    url: new URL(path, agent).href,
    headers: peerHeaders({ method: rest.method, path, from, to }, { secret, nonce: hex(random, 32) }),
  });
}

async function agentOf({ kv }: PeersOptions, node: string): Promise<string> {
  const found = (await kv.get(nodeKey(node))).kv;
  const agent = found === undefined ? null : parseStored(nodeSchema, found).agent;
  if (agent !== null) return agent;
  throw new RigError(
    'unavailable',
    `node ${node} ${found === undefined ? 'is not alive' : 'has no address for other nodes'}`,
  );
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  404: 'not_found',
  409: 'conflict',
  422: 'unsupported',
  500: 'io',
};

function answerOf<S extends z.ZodType>(
  { status, body }: NetworkResponse,
  { schema, to, method, path }: CallOptions & { readonly schema: S; readonly to: string },
): z.output<S> {
  const said = `${method} ${path.replace(/\?.*/, '')} on node ${to}`;
  if (status === 200 || status === 204) {
    try {
      return schema.parse(status === 204 ? null : JSON.parse(body));
    } catch (cause) {
      throw new RigError('unavailable', `${said}: the answer makes no sense`, { definite: false, cause });
    }
  }
  const code = CODES[status] ?? 'unavailable';
  throw new RigError(code, `${said}: ${status} ${reasonIn(body)}`, { definite: status < 500 });
}

function reasonIn(body: string): string {
  try {
    return refusalSchema.parse(JSON.parse(body)).error.slice(0, 200);
  } catch {
    return '';
  }
}
