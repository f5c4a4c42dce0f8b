// Several endpoints as one: calls go to the one that last worked and move on
// when it does not, within one deadline.

import { hasCode, RigError } from '../base/errors.ts';
import { createEndpoint, type Endpoint, grpcDeadline, type Service } from './etcd-endpoint.ts';
import { fromGrpc } from './etcd-errors.ts';

export interface Cluster {
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

export function createCluster(options: {
  readonly endpoints: readonly string[];
  readonly requestTimeoutMs: number;
  readonly keepaliveMs: number;
}): Cluster {
  const { requestTimeoutMs, keepaliveMs } = options;
  const endpoints = options.endpoints.map((address) => createEndpoint({ address, keepaliveMs }));
  if (endpoints.length === 0) throw new RigError('invalid', 'no etcd endpoint was given');
  let preferred = 0;
  let closed = false;

  const inOrder = (): Endpoint[] => [...endpoints.slice(preferred), ...endpoints.slice(0, preferred)];
  const prefer = (endpoint: Endpoint): void => {
    preferred = endpoints.indexOf(endpoint);
  };
  const suspect = (endpoint: Endpoint): void => {
    if (endpoints[preferred] === endpoint) preferred = (preferred + 1) % endpoints.length;
  };
  const refuseIfClosed = (): void => {
    if (closed) throw new RigError('aborted', 'the etcd client was closed');
  };

  const call = async <T>({ what, service, write, send }: UnaryCall<T>): Promise<T> => {
    const endMs = performance.now() + requestTimeoutMs;
    const candidates = inOrder();
    let failure: RigError | undefined;
    for (const [index, endpoint] of candidates.entries()) {
      refuseIfClosed();
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) break;
      const shareMs = leftMs / (candidates.length - index);
      try {
        await endpoint.connect(service, shareMs);
        const isLast = index === candidates.length - 1;
        const callEndMs = write || isLast ? endMs : performance.now() + shareMs;
        const response = await send(endpoint, { deadline: grpcDeadline(callEndMs) });
        prefer(endpoint);
        return response;
      } catch (error) {
        failure = fromGrpc(error, { what: `${what} at ${endpoint.address}`, write });
        if (closed)
          throw new RigError('aborted', `${failure.message} (client closed)`, { definite: failure.definite });
        if (!hasCode(failure, 'unavailable', 'timeout')) throw failure;
        suspect(endpoint);
        if (!failure.definite) throw failure;
      }
    }
    throw failure ?? new RigError('timeout', `${what}: no endpoint answered within ${requestTimeoutMs} ms`);
  };

  return {
    call,
    suspect,
    connected: async (service) => {
      const endMs = performance.now() + requestTimeoutMs;
      let failure: RigError | undefined;
      for (const [index, endpoint] of inOrder().entries()) {
        refuseIfClosed();
        const shareMs = Math.max(0, endMs - performance.now()) / (endpoints.length - index);
        try {
          await endpoint.connect(service, shareMs);
          return endpoint;
        } catch (error) {
          failure = fromGrpc(error, { what: `opening a stream to ${endpoint.address}`, write: false });
        }
      }
      throw failure ?? new RigError('internal', 'no etcd endpoint was given');
    },
    close: () => {
      closed = true;
      for (const endpoint of endpoints) endpoint.close();
    },
  };
}
