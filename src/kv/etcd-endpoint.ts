// One etcd endpoint: a channel of etcd3's pool with its raw RPC clients, left
// to gRPC's own reconnecting. etcd3's fault handling is bypassed on purpose: it
// closes every client of a host on any failure, and its circuit breaker then
// refuses calls for five seconds, long after the server is back.

import { type ICallable, KVClient, LeaseClient, WatchClient } from 'etcd3';
import { ConnectionPool } from 'etcd3/lib/connection-pool.js';
import { RigError } from '../base/errors.ts';

/** Connectivity states (grpc.github.io/grpc/core/md_doc_connectivity-semantics-and-api.html). */
const READY = 2;
const TRANSIENT_FAILURE = 3;
const SHUTDOWN = 4;

export type Service = 'KV' | 'Lease' | 'Watch';

export interface Endpoint {
  readonly address: string;
  readonly kv: KVClient;
  readonly lease: LeaseClient;
  readonly watch: WatchClient;
  /**
   * Resolves when the service can be called. Rejects with `unavailable`, definitely not
   * having sent anything, as soon as connecting has failed or after `timeoutMs`.
   */
  connect(service: Service, timeoutMs: number): Promise<void>;
  close(): void;
}

/** `keepaliveMs` is described at EtcdOptions. */
export function createEndpoint(options: {
  readonly address: string;
  readonly keepaliveMs: number;
}): Endpoint {
  const { address } = options;
  const pool = new ConnectionPool({ hosts: address, grpcOptions: channelOptions(options.keepaliveMs) });
  const clientOf = (service: Service) =>
    pool.withConnection(service, ({ client, metadata }) => ({ client, metadata }));

  const callable: ICallable<unknown> = {
    callOptionsFactory: undefined,
    // gRPC reconnects by itself; see above.
    markFailed: () => {},
    // Only streams come this way.
    withConnection: (service, open) =>
      pool.withConnection(service, (connection) =>
        open({ ...connection, metadata: requireLeader(connection.metadata) }),
      ),
    exec: async <T>(service: string, method: string, request: unknown, callOptions?: object): Promise<T> => {
      const { client, metadata } = await clientOf(service as Service);
      const methods = client as unknown as Record<string, UnaryMethod<T>>;
      return new Promise<T>((resolve, reject) => {
        methods[method]?.(request, metadata, callOptions ?? {}, (error, response) => {
          if (error === null) resolve(response);
          else reject(error);
        });
      });
    },
  };

  return {
    address,
    kv: new KVClient(callable),
    lease: new LeaseClient(callable),
    watch: new WatchClient(callable),
    connect: async (service, timeoutMs) => {
      const endMs = performance.now() + timeoutMs;
      const { client } = await clientOf(service);
      const channel = client.getChannel();
      for (;;) {
        const state = channel.getConnectivityState(true);
        if (state === READY) return;
        if (state === TRANSIENT_FAILURE || state === SHUTDOWN || performance.now() >= endMs) {
          throw new RigError('unavailable', `etcd at ${address} cannot be reached`);
        }
        // Calls back with an error at the deadline; the loop sees to that itself.
        await new Promise<void>((done) =>
          channel.watchConnectivityState(state, grpcDeadline(endMs), () => done()),
        );
      }
    },
    close: () => pool.close(),
  };
}

/**
 * Asks etcd to end the stream when its member has lost the leader for a while, as
 * WithRequireLeader of etcd's client/v3 does. A member that is cut off from its
 * quorum would otherwise keep the stream open in silence, for ever.
 */
function requireLeader<M extends { clone(): M; set(key: string, value: string): void }>(metadata: M): M {
  const required = metadata.clone();
  required.set('hasleader', 'true');
  return required;
}

/** gRPC takes deadlines by the wall clock, which may be stepped: they are reckoned by the other one until the call. */
export function grpcDeadline(endMs: number): number {
  return Date.now() + Math.max(0, endMs - performance.now());
}

type UnaryMethod<T> = (
  request: unknown,
  metadata: unknown,
  options: object,
  callback: (error: Error | null, response: T) => void,
) => void;

function channelOptions(keepaliveMs: number) {
  return {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1000,
    // A container that comes back may have another address.
    'grpc.dns_min_time_between_resolutions_ms': 1000,
    'grpc.keepalive_time_ms': keepaliveMs,
    'grpc.keepalive_timeout_ms': 1500,
    // A list or a catching-up watch may well be larger than gRPC's default of 4 MiB.
    'grpc.max_receive_message_length': -1,
  };
}
