// One etcd endpoint: a channel of etcd3's pool with its raw RPC clients, left
// to gRPC's own reconnecting. etcd3's fault handling is bypassed on purpose: it
// closes every client of a host on any failure, and its circuit breaker then
// refuses calls for five seconds, long after the server is back. So is its
// authenticator, which knows neither deadlines nor tokens that streams outlive.

import { AuthClient, type ICallable, KVClient, LeaseClient, WatchClient } from 'etcd3';
import { ConnectionPool } from 'etcd3/lib/connection-pool.js';
import { RigError } from '../base/errors.ts';
import { type EtcdCredentials, isSecure } from './etcd-credentials.ts';
import { refusalOf } from './etcd-probe.ts';
import { createToken } from './etcd-token.ts';

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
   * having sent anything, as soon as connecting has failed or after `timeoutMs`; with
   * `unsupported` when etcd and we do not accept each other.
   */
  connect(service: Service, timeoutMs: number): Promise<void>;
  /** After etcd refused the token: the next connect gets another. False if there are no credentials to get it with. */
  forgetToken(): boolean;
  /** How to end each open stream, for when the endpoint turns out to be dead although connected. */
  readonly streams: Set<() => void>;
  close(): void;
}

export interface EndpointOptions extends EtcdCredentials {
  readonly address: string;
  /** Described at EtcdOptions. */
  readonly keepaliveMs: number;
}

export function createEndpoint(options: EndpointOptions): Endpoint {
  const { address, tls } = options;
  const pool = new ConnectionPool({
    hosts: address,
    grpcOptions: channelOptions(options.keepaliveMs),
    ...(isSecure(address) && tls !== undefined && { credentials: toGrpcCredentials(tls) }),
  });
  const clientOf = (service: Service | 'Auth') =>
    pool.withConnection(service, ({ client, metadata }) => ({ client, metadata }));

  const callable: ICallable<unknown> = {
    callOptionsFactory: undefined,
    // gRPC reconnects by itself; see above.
    markFailed: () => {},
    // Only streams come this way.
    withConnection: (service, open) =>
      pool.withConnection(service, (connection) =>
        open({ ...connection, metadata: requireLeader(token.sign(connection.metadata)) }),
      ),
    exec: async <T>(service: string, method: string, request: unknown, callOptions?: object): Promise<T> => {
      const { client, metadata } = await clientOf(service as Service | 'Auth');
      const methods = client as unknown as Record<string, UnaryMethod<T>>;
      const signed = service === 'Auth' ? metadata : token.sign(metadata);
      return new Promise<T>((resolve, reject) => {
        methods[method]?.(request, signed, callOptions ?? {}, (error, response) => {
          if (error === null) resolve(response);
          else reject(error);
        });
      });
    },
  };
  const token = createToken({ ...options, auth: new AuthClient(callable) });

  const untilReady = async (service: Service, endMs: number): Promise<void> => {
    const { client } = await clientOf(service);
    const channel = client.getChannel();
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === READY) return;
      const leftMs = endMs - performance.now();
      if (state === TRANSIENT_FAILURE && leftMs > 0) {
        const refusal = await refusalOf({ endpoint: address, tls, timeoutMs: leftMs });
        if (refusal !== undefined) throw refusal;
      }
      if (state === TRANSIENT_FAILURE || state === SHUTDOWN || leftMs <= 0) {
        throw new RigError('unavailable', `etcd at ${address} cannot be reached`);
      }
      // Calls back with an error at the deadline; the loop sees to that itself.
      await new Promise<void>((done) =>
        channel.watchConnectivityState(state, grpcDeadline(endMs), () => done()),
      );
    }
  };

  return {
    address,
    kv: new KVClient(callable),
    lease: new LeaseClient(callable),
    watch: new WatchClient(callable),
    connect: async (service, timeoutMs) => {
      const endMs = performance.now() + timeoutMs;
      await untilReady(service, endMs);
      await token.ensure({ deadline: grpcDeadline(endMs) });
    },
    forgetToken: token.forget,
    streams: new Set(),
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

function toGrpcCredentials({ ca, cert, key }: NonNullable<EtcdCredentials['tls']>) {
  return {
    // etcd3 wants one, gRPC takes null for the authorities that Node.js trusts.
    rootCertificate: (ca === undefined ? null : Buffer.from(ca)) as Buffer,
    ...(cert !== undefined && { certChain: Buffer.from(cert) }),
    ...(key !== undefined && { privateKey: Buffer.from(key) }),
  };
}

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
