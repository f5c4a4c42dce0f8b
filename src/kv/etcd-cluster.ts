// Several endpoints as one: calls go to the one that last worked and move on
// when it does not, within one deadline.

import { hasCode, RigError } from '../base/errors.ts';
import { checkCredentials, type EtcdCredentials } from './etcd-credentials.ts';
import { createEndpoint, type Endpoint, grpcDeadline, type Service } from './etcd-endpoint.ts';
import { fromGrpc, isTokenRefused } from './etcd-errors.ts';
import { createSuspicion } from './etcd-suspicion.ts';

export interface Cluster {
  /** Number of endpoints. */
  readonly size: number;
  /**
   * One unary call. A read is tried at every endpoint in turn; a write is never
   * sent a second time once it may have arrived. Failures are those of Kv.
   */
  call<T>(request: UnaryCall<T>): Promise<T>;
  /** An endpoint whose service is connected; `unavailable` when there is none. For streams. */
  connected(service: Service): Promise<Endpoint>;
  /** Says that an endpoint failed although it was connected, so that others are tried first. */
  suspect(endpoint: Endpoint): void;
  close(): void;
}

export interface UnaryCall<T> {
  /** For the error message: what was tried, on what. */
  readonly what: string;
  readonly service: Service;
  readonly write: boolean;
  readonly send: (endpoint: Endpoint, callOptions: { deadline: number }) => Promise<T>;
}

export interface ClusterOptions extends EtcdCredentials {
  readonly endpoints: readonly string[];
  readonly requestTimeoutMs: number;
  readonly keepaliveMs: number;
}

export function createCluster(options: ClusterOptions): Cluster {
  const { requestTimeoutMs } = options;
  if (options.endpoints.length === 0) throw new RigError('invalid', 'no etcd endpoint was given');
  checkCredentials(options.endpoints, options);
  const endpoints = options.endpoints.map((address) => createEndpoint({ ...options, address }));
  const suspicion = createSuspicion(endpoints, requestTimeoutMs);
  let closed = false;

  const refuseIfClosed = (): void => {
    if (closed) throw new RigError('aborted', 'the etcd client was closed');
  };

  const call = async <T>(request: UnaryCall<T>): Promise<T> => {
    const { what, write } = request;
    const endMs = performance.now() + requestTimeoutMs;
    const candidates = suspicion.inOrder();
    const failures: RigError[] = [];
    for (const [index, endpoint] of candidates.entries()) {
      refuseIfClosed();
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) break;
      const shareEndMs = performance.now() + leftMs / (candidates.length - index);
      try {
        const response = await callAt(endpoint, request, { shareEndMs, endMs });
        suspicion.worked(endpoint);
        return response;
      } catch (error) {
        const failure = fromGrpc(error, { what: `${what} at ${endpoint.address}`, write });
        if (closed)
          throw new RigError('aborted', `${failure.message} (client closed)`, { definite: failure.definite });
        if (!hasCode(failure, 'unavailable', 'timeout', 'unsupported')) throw failure;
        suspicion.suspect(endpoint);
        if (!failure.definite) throw failure;
        failures.push(failure);
      }
    }
    throw (
      worst(failures) ??
      new RigError('timeout', `${what}: no endpoint answered within ${requestTimeoutMs} ms`)
    );
  };

  return {
    size: endpoints.length,
    call,
    suspect: suspicion.suspect,
    connected: async (service) => {
      const endMs = performance.now() + requestTimeoutMs;
      const failures: RigError[] = [];
      for (const [index, endpoint] of suspicion.inOrder().entries()) {
        refuseIfClosed();
        const shareMs = Math.max(0, endMs - performance.now()) / (endpoints.length - index);
        try {
          await endpoint.connect(service, shareMs);
          return endpoint;
        } catch (error) {
          failures.push(fromGrpc(error, { what: `opening a stream to ${endpoint.address}`, write: false }));
        }
      }
      throw worst(failures) ?? new RigError('internal', 'no etcd endpoint was given');
    },
    close: () => {
      closed = true;
      for (const endpoint of endpoints) endpoint.close();
    },
  };
}

/** A refused token is renewed once: what was refused for it was not done. */
async function callAt<T>(
  endpoint: Endpoint,
  { service, write, send }: UnaryCall<T>,
  { shareEndMs, endMs }: { readonly shareEndMs: number; readonly endMs: number },
): Promise<T> {
  for (let isSecond = false; ; isSecond = true) {
    await endpoint.connect(service, shareEndMs - performance.now());
    try {
      return await send(endpoint, { deadline: grpcDeadline(write ? endMs : shareEndMs) });
    } catch (error) {
      if (isSecond || !isTokenRefused(error) || !endpoint.forgetToken()) throw error;
    }
  }
}

/**
 * Only if every endpoint refused us, that is what failed: an endpoint that was
 * away may be the one that accepts us.
 */
function worst(failures: readonly RigError[]): RigError | undefined {
  return failures.findLast(({ code }) => code !== 'unsupported') ?? failures.at(-1);
}
