// A real etcd, 3.4 or later, through etcd3's channels and raw RPC clients.
// Elections, sessions and resuming are ours (kv/election.ts, session.ts,
// follow.ts): etcd3's own hide the revisions and causes that we need.

import { RigError } from '../base/errors.ts';
import { createCluster } from './etcd-cluster.ts';
import { createKeepaliveStream } from './etcd-keepalive.ts';
import { toCompare, toKeyValue, toPrefixRange, toRequestOp } from './etcd-messages.ts';
import { watchEtcd } from './etcd-watch.ts';
import type { Header, Kv } from './kv.ts';

export interface EtcdOptions {
  /** `host:port` or `http://host:port`, tried in this order. */
  readonly endpoints: readonly string[];
  /** No unary call takes longer. Default 1500. */
  readonly requestTimeoutMs?: number;
  /**
   * How long a connection with open streams may be silent before it is probed; one that does
   * not answer within 1.5 s more is dropped. Default 6000: etcd hangs up on clients that probe
   * more often than its `--grpc-keepalive-min-time`, by default 5 s.
   */
  readonly keepaliveMs?: number;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 1500;
const DEFAULT_KEEPALIVE_MS = 6000;

/** Connects lazily: an etcd that is not there yet is noticed by the first call. Close it, or the process stays. */
export function createEtcdKv(options: EtcdOptions): Kv {
  const requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  const keepaliveMs = options.keepaliveMs ?? DEFAULT_KEEPALIVE_MS;
  const cluster = createCluster({ endpoints: options.endpoints, requestTimeoutMs, keepaliveMs });
  const keepalive = createKeepaliveStream({ cluster, requestTimeoutMs });
  const closing = new AbortController();

  const range = (key: Buffer, range_end?: Buffer) =>
    cluster.call({
      what: `reading ${key.toString()}`,
      service: 'KV',
      write: false,
      send: ({ kv }, callOptions) =>
        kv.range(range_end === undefined ? { key } : { key, range_end }, callOptions),
    });

  return {
    get: async (key) => {
      const { header, kvs } = await range(Buffer.from(key));
      return { ...toHeader(header), kv: kvs[0] === undefined ? undefined : toKeyValue(kvs[0]) };
    },
    list: async (prefix) => {
      const { key, range_end } = toPrefixRange(prefix);
      const { header, kvs } = await range(key, range_end);
      return { ...toHeader(header), kvs: kvs.map(toKeyValue) };
    },
    transact: async ({ compare, writes }) => {
      const { header, succeeded } = await cluster.call({
        what: `writing ${writes.map(({ key }) => key).join(', ')}`,
        service: 'KV',
        write: true,
        send: ({ kv }, callOptions) =>
          kv.txn({ compare: compare.map(toCompare), success: writes.map(toRequestOp) }, callOptions),
      });
      return { ...toHeader(header), succeeded };
    },
    grantLease: async (ttlSeconds) => {
      if (!Number.isSafeInteger(ttlSeconds))
        throw new RigError('invalid', `a TTL of ${ttlSeconds} s is not whole`);
      const { ID, TTL } = await cluster.call({
        what: `granting a lease of ${ttlSeconds} s`,
        service: 'Lease',
        write: true,
        send: ({ lease }, callOptions) => lease.leaseGrant({ TTL: String(ttlSeconds) }, callOptions),
      });
      return { id: ID, ttlSeconds: Number(TTL) };
    },
    keepLeaseAlive: (leaseId) => keepalive.renew(leaseId),
    revokeLease: async (leaseId) => {
      await cluster.call({
        what: `revoking lease ${leaseId}`,
        service: 'Lease',
        write: true,
        send: ({ lease }, callOptions) => lease.leaseRevoke({ ID: leaseId }, callOptions),
      });
    },
    listLeases: async () => {
      const { leases } = await cluster.call({
        what: 'listing leases',
        service: 'Lease',
        write: false,
        send: ({ lease }, callOptions) => lease.leaseLeases(callOptions),
      });
      return leases.map(({ ID }) => ID);
    },
    watch: (watchOptions) =>
      watchEtcd({
        ...watchOptions,
        cluster,
        requestTimeoutMs,
        closing: closing.signal,
        currentRevision: async () => Number((await range(Buffer.from('/'))).header.revision),
      }),
    close: async () => {
      closing.abort();
      keepalive.close();
      cluster.close();
    },
  };
}

function toHeader(header: { readonly cluster_id: string; readonly revision: string }): Header {
  return { clusterId: header.cluster_id, revision: Number(header.revision) };
}
