// Calls to a cluster's API, as people make them: some node answers, and a refusal is an
// error that says why.

import { RigError } from '../base/errors.ts';
import { refusal } from '../cluster/refusal.ts';
import { API_PORT } from '../rig/compose/node-environment.ts';
import type { FoundMember } from '../rig/docker/clusters.ts';
import { fetchHttp } from '../rig/http.ts';
import { type ChosenCluster, memberOf, urlOf } from './clusters.ts';

export interface ApiCall {
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Sent as If-Match. Default: none. */
  readonly ifMatch?: string;
  /** The node to ask. Default: the first that answers; for a change, of those that are ready. */
  readonly via?: string | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  /** Undefined where there is none, as in a 304. */
  readonly body: unknown;
  readonly etag: string | null;
}

/** The API gives up on etcd within 2 s. */
const ANSWERS_WITHIN_MS = 5_000;
const READY_WITHIN_MS = 2_500;

/**
 * An answer below 400. A node that can't be reached, or a read that gets a 503, leads to the next one. Throws
 * `not_found`, `conflict`, `invalid` as the API says, and `unavailable` when nobody answers; a change may then have
 * been made nevertheless.
 */
export async function callApi(cluster: ChosenCluster, call: ApiCall): Promise<ApiAnswer> {
  const { via, method = 'GET' } = call;
  const nodes =
    via === undefined
      ? cluster.members.filter(({ ports, state }) => ports.has(API_PORT) && state === 'running')
      : [memberOf(cluster, via)];
  let last = new RigError('unavailable', `no node of cluster '${cluster.label}' runs that has an API`, {
    next: 'Start one with rig start all.',
  });
  const asked = via === undefined && method !== 'GET' ? await readyFirst(nodes) : nodes;
  for (const node of asked) {
    try {
      return await ask(urlOf(node, API_PORT), call);
    } catch (error) {
      last = RigError.from(error);
      // What was asked for may be done by now: to ask another would be to ask twice.
      if (last.code !== 'unavailable' || (method !== 'GET' && !last.definite)) throw last;
    }
  }
  throw last;
}

/**
 * Docker takes a connection for a node that was started a moment ago and doesn't listen yet; and what was asked for on one
 * that is lost may have been done, so that no other node can be asked.
 */
async function readyFirst(nodes: readonly FoundMember[]): Promise<readonly FoundMember[]> {
  const ready = await Promise.all(
    nodes.map(async (node) => {
      try {
        const { status } = await fetchHttp(`${urlOf(node, API_PORT)}/readyz`, { timeoutMs: READY_WITHIN_MS });
        return status === 200;
      } catch {
        return false;
      }
    }),
  );
  return [...nodes.filter((_, index) => ready[index]), ...nodes.filter((_, index) => !ready[index])];
}

async function ask(url: string, { method = 'GET', path, body, ifMatch }: ApiCall): Promise<ApiAnswer> {
  const what = `${method} ${url}${path}`;
  let response: Awaited<ReturnType<typeof fetchHttp>>;
  let text: string;
  try {
    response = await fetchHttp(`${url}${path}`, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': ifMatch }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      timeoutMs: ANSWERS_WITHIN_MS,
    });
    text = await response.text();
  } catch (error) {
    const { message, cause } = error as { message: string; cause?: { code?: string } };
    const definite = cause?.code === 'ECONNREFUSED';
    throw new RigError('unavailable', `no answer to ${what}: ${cause?.code ?? message}`, {
      definite,
      cause: error,
    });
  }
  const { status, headers } = response;
  const answer = text === '' ? undefined : parsed(text);
  if (status < 400) return { status, body: answer, etag: headers.get('etag') };
  throw refusal(what, { status, body: answer });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
