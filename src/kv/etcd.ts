// A real etcd, 3.4 or later, through etcd3's channels and raw RPC clients.
// Elections, sessions and resuming are ours (kv/election.ts, session.ts,
// follow.ts): etcd3's own hide the revisions and causes that we need.

import type { IRangeRequest } from 'etcd3';
import { RigError } from '../base/errors.ts';
import { createCluster } from './etcd-cluster.ts';
import type { EtcdCredentials } from './etcd-credentials.ts';
import { createKeepaliveStream } from './etcd-keepalive.ts';
import { toCompare, toKeyValue, toListRange, toPrefixRange, toRequestOp } from './etcd-messages.ts';
import { watchEtcd } from './etcd-watch.ts';
import type { Header, Kv } from './kv.ts';

export interface EtcdOptions extends EtcdCredentials {
  /** `host:port`, `http://host:port` or `https://host:port`, tried in this order. */
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

/**
 * Connects lazily: an etcd that is not there yet is noticed by the first call. Close it, or the
 * process stays. Throws `invalid` for credentials that can be seen to be wrong without etcd.
 */
export function createEtcdKv(options: EtcdOptions): Kv {
  const requestTimeoutMs = options.requestTimeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
  const keepaliveMs = options.keepaliveMs ?? DEFAULT_KEEPALIVE_MS;
  const cluster = createCluster({ ...options, requestTimeoutMs, keepaliveMs });
  const keepalive = createKeepaliveStream({ cluster, requestTimeoutMs });
  const closing = new AbortController();

  const range = (request: IRangeRequest & { readonly key: Buffer }) =>
    cluster.call({
      what: `reading ${request.key.toString()}`,
      service: 'KV',
      write: false,
      send: ({ kv }, callOptions) => kv.range(request, callOptions),
    });

  return {
    get: async (key) => {
      const { header, kvs } = await range({ key: Buffer.from(key) });
      return { ...toHeader(header), kv: kvs[0] === undefined ? undefined : toKeyValue(kvs[0]) };
    },
    list: async (prefix, listOptions) => {
      const { header, kvs, more } = await range(toListRange(prefix, listOptions));
      return { ...toHeader(header), kvs: kvs.map(toKeyValue), more };
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
        // What may be watched may be read: with auth, no other key can be counted on.
        currentRevision: async () =>
          Number((await range({ key: toPrefixRange(watchOptions.prefix).key })).header.revision),
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
