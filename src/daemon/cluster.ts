// Which cluster this is: its format version, and an identity of its own.
//
// etcd's cluster id alone does not tell a wiped etcd from the one before: it is
// a hash of the members' configured names and URLs (etcd's
// server/etcdserver/api/membership, computeMemberId), so that an etcd started
// afresh with the same configuration has the same id. The identity drawn here
// is lost with the data, and that is what agents bind their disks to.

import { z } from 'zod';
import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { hex, type Random } from '../base/random.ts';
import { backoffMs } from '../base/retry.ts';
import { tapped } from '../base/tapped.ts';
import { CLUSTER_KEY, VERSION_KEY } from '../kv/keys.ts';
import type { KeyValue, Kv, ListResult } from '../kv/kv.ts';
import { at } from '../kv/listing.ts';
import { parseStored } from '../model/parse.ts';

/** The format of everything under /cobalt/v1/. */
export const CLUSTER_VERSION = '1';

const identitySchema = z.strictObject({ uid: z.string().regex(/^[0-9a-f]{32}$/) });

/**
 * Writes version and identity into a new cluster; checks those of an old one.
 * Throws `unsupported` when the cluster has another version, and as
 * {@link Kv.get} does.
 */
export async function joinCluster(options: { readonly kv: Kv; readonly random: Random }): Promise<void> {
  const { kv, random } = options;
  const [version, identity] = await Promise.all([kv.get(VERSION_KEY), kv.get(CLUSTER_KEY)]);
  requireVersion(version.kv);
  if (version.kv !== undefined && identity.kv !== undefined) return;
  const missing = [
    ...(version.kv === undefined ? [{ key: VERSION_KEY, value: CLUSTER_VERSION }] : []),
    ...(identity.kv === undefined
      ? [{ key: CLUSTER_KEY, value: JSON.stringify({ uid: hex(random, 32) }) }]
      : []),
  ];
  const { succeeded } = await kv.transact({
    compare: missing.map(({ key }) => ({ key, target: 'create', equals: 0 })),
    writes: missing.map(({ key, value }) => ({ kind: 'put', key, value })),
  });
  // Somebody else was faster; what they wrote must be looked at.
  if (!succeeded) await joinCluster(options);
}

/** Throws `unsupported` when there is a version, and it is another one. */
export function requireVersion(stored: KeyValue | undefined): void {
  if (stored === undefined || stored.value === CLUSTER_VERSION) return;
  throw new RigError(
    'unsupported',
    `the cluster has version ${stored.value.slice(0, 32)}, this daemon ${CLUSTER_VERSION}`,
    { next: "Start a daemon of the cluster's version." },
  );
}

/** Joins as soon as the cluster can be reached. Rejects with `unsupported`, or `aborted` by the signal. */
export async function joinWhenReachable(options: {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { clock, random, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await joinCluster(options);
      return;
    } catch (error) {
      if (!hasCode(error, 'unavailable', 'timeout')) throw error;
      await clock.sleep(backoffMs({ random, attempt, baseMs: 50, capMs: 400 }), signal);
    }
  }
}

/**
 * What a disk is bound to: etcd's cluster id and the cluster's own. Undefined
 * for a listing of the whole root that holds neither version nor identity: an
 * etcd that nobody has joined says nothing about anybody's volumes.
 */
export function identityIn(listed: ListResult): string | undefined {
  const version = at(listed.kvs, VERSION_KEY);
  if (version?.value !== CLUSTER_VERSION) return undefined;
  return identityOf(listed.clusterId, at(listed.kvs, CLUSTER_KEY));
}

/** The identity that a cluster id and the cluster key make; undefined without the key. */
export function identityOf(clusterId: string, stored: KeyValue | undefined): string | undefined {
  return stored === undefined ? undefined : `${clusterId}-${parseStored(identitySchema, stored).uid}`;
}

/**
 * The same store for one who may not have joined yet: the first read or write
 * that gets through joins. An etcd that comes back after an outage may be
 * another one, and is joined like a new one. Rejects with `unsupported` in a
 * cluster of another version.
 */
export function joinFirst(options: { readonly kv: Kv; readonly random: Random }): Kv {
  const { kv } = options;
  let joined = false;
  let outages = 0;
  const observed = async <T>(call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      noteOutage(error);
      throw error;
    }
  };
  const noteOutage = (error: unknown): void => {
    if (!hasCode(error, 'unavailable', 'timeout')) return;
    joined = false;
    outages += 1;
  };
  const after = <T>(call: () => Promise<T>): Promise<T> =>
    observed(async () => {
      const before = outages;
      if (!joined) await joinCluster(options);
      // Another call may have met the next outage meanwhile.
      joined = outages === before;
      return call();
    });
  return {
    ...kv,
    get: (key) => after(() => kv.get(key)),
    list: (prefix, options) => after(() => kv.list(prefix, options)),
    transact: (transaction) => after(() => kv.transact(transaction)),
    grantLease: (ttlSeconds) => after(() => kv.grantLease(ttlSeconds)),
    keepLeaseAlive: (leaseId) => observed(() => kv.keepLeaseAlive(leaseId)),
    watch: (range) =>
      tapped(kv.watch(range), {
        onFailure: (error) => {
          noteOutage(error);
          return error;
        },
      }),
  };
}
