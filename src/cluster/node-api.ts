// A small typed client of the API, for tests. Every call is on the cluster's record.

import { RigError } from '../base/errors.ts';
import type { NodeView } from '../daemon/api/node-view.ts';
import type { Clients, HttpAnswer } from '../rig/clients.ts';
import { type Meanings, requestOf } from '../rig/requests.ts';
import type { ApiCall } from '../rig/scenario.ts';
import type { Timed } from './eventually.ts';
import { refusal } from './refusal.ts';
import { type VolumeHandle, type VolumeOrder, volumeHandle } from './volume-handle.ts';
import type { VolumeView } from './volume-view.ts';

export interface CallOptions {
  readonly body?: unknown;
  /** Sent as If-Match. */
  readonly ifMatch?: string;
  /** Default: 10,000. */
  readonly timeoutMs?: number;
}

export interface ApiAnswer {
  readonly status: number;
  /** JSON, parsed. */
  readonly body: unknown;
  readonly etag?: string;
}

/**
 * The typed calls throw a {@link RigError} for every answer but success: `invalid` (400), `not_found`, `conflict` (409,
 * 412), `unavailable` (503, or none at all); `definite` is false where a change may have been made nevertheless.
 */
export interface NodeApi {
  /** Base URL, by now: a restart changes it. A name and nothing more in `simulated`. */
  url(): Promise<string>;
  /** Whatever the answer is; `/openapi.json` describes all calls. Throws `unavailable` when there is none. */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, options?: CallOptions): Promise<ApiAnswer>;
  /** At most 1,000. */
  volumes(): Promise<readonly VolumeView[]>;
  volume(id: string): VolumeHandle;
  /** Resolves when it is ordered, which is before it is ready. */
  createVolume(order: VolumeOrder): Promise<VolumeHandle>;
  /** Those that live. At most 1,000. */
  nodes(): Promise<readonly NodeView[]>;
  node(name: string): Promise<NodeView>;
  /** What isn't named stays. Draining nodes give their volumes away. */
  changeNode(
    name: string,
    change: {
      readonly draining?: boolean;
      readonly labels?: Readonly<Record<string, string>>;
      readonly capacity?: number;
    },
  ): Promise<void>;
}

export function createNodeApi(options: {
  readonly clients: Clients;
  /** Whose API is asked. */
  readonly node: () => Promise<string>;
  readonly url: (node: string) => Promise<string>;
  readonly address: (consumer: string) => Promise<string>;
  /** Whose time passes while a volume is waited for. */
  readonly timed: Timed;
}): NodeApi {
  const { clients, node, url, address, timed } = options;
  // Volumes go by their ids, and new ones by the name that they get.
  const meanings: Meanings = { idOf: (id) => id, address };
  let calls = 0;

  const call: NodeApi['call'] = async (method, path, { body, ifMatch, timeoutMs } = {}) => {
    calls += 1;
    const asked = await node();
    const answer = await clients.http({
      // Calls may overlap, and a process has one open at a time.
      process: `test ${asked} ${calls}`,
      node: asked,
      method,
      path,
      body,
      ...(ifMatch !== undefined && { ifMatch }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    if (answer.status === undefined) throw unanswered(answer, `${method} ${path} at ${asked}`);
    return {
      status: answer.status,
      body: answer.body,
      ...(answer.etag !== undefined && { etag: answer.etag }),
    };
  };
  const succeed = async (...args: Parameters<NodeApi['call']>): Promise<unknown> => {
    const answer = await call(...args);
    if (answer.status < 400) return answer.body;
    throw refusal(`${args[0]} ${args[1]}`, answer);
  };
  const order = async (asked: ApiCall): Promise<unknown> => {
    const { method, path, body } = await requestOf(asked, meanings);
    return succeed(method, path, { body });
  };
  const volume = (id: string): VolumeHandle =>
    volumeHandle({
      id,
      order,
      timed,
      other: volume,
      read: async () => (await succeed('GET', `/volumes/${id}`)) as VolumeView,
    });
  return {
    url: async () => url(await node()),
    call,
    volume,
    volumes: async () =>
      ((await succeed('GET', '/volumes?limit=1000')) as { readonly volumes: readonly VolumeView[] }).volumes,
    createVolume: async ({ name, ...rest }) => {
      const { id } = (await order({ create: name, ...rest })) as { readonly id: string };
      return volume(id);
    },
    nodes: async () =>
      ((await succeed('GET', '/nodes?limit=1000')) as { readonly nodes: readonly NodeView[] }).nodes,
    node: async (name) => (await succeed('GET', `/nodes/${name}`)) as NodeView,
    changeNode: async (name, change) => void (await succeed('PUT', `/nodes/${name}`, { body: change })),
  };
}

const unanswered = ({ error }: HttpAnswer, what: string): RigError =>
  new RigError('unavailable', `${what} got no answer: ${error}`, { definite: false });
