// An etcd in memory: the model that simulations and unit tests run on. It
// passes the same contract suite as kv/etcd.ts (test/contract/kv-*.test.ts).
//
// Where it is simpler than etcd:
// - one member: no raft, no elections, no lagging follower. A call takes effect
//   at once, in the order of the calls; delays and lost answers are the
//   business of the simulator's network, which sits in front of it;
// - an outage (`setAvailable(false)`) is that of the whole server: no call that
//   failed had any effect, leases stand still, and start over at the end of it
//   as they do in etcd after a restart (with one election timeout on top);
// - a watch that can go on sends everything it has in one batch, where etcd may
//   send several; its only bookmark is the first batch. One that has caught up
//   is never too slow: etcd lets go of a watch whose buffers are full, after
//   which a compaction can end it;
// - what an event replaced is left out only when a compaction overtook a watch
//   that lagged. In etcd, when exactly that happens depends on timing;
// - leases that run out within one scan of etcd's (500 ms) go in any order there,
//   here in that of their timers;
// - keys are ordered by UTF-16 code units, etcd's by bytes: the same for ASCII,
//   which all of Cobalt's keys are (model/names.ts);
// - no limits on request sizes, no quota, no auth (nobody is refused with
//   `unsupported`), no alarms.
//
// Nothing in Cobalt relies on these: followers take what comes in whole
// revisions, however many at a time (kv/follow.ts), and what is decided from a
// mirror or a lease is guarded by the compares of a transaction.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { hex } from '../base/random.ts';
import type { Header, Kv, Transaction } from './kv.ts';
import { createLeases, type Leases } from './memory-leases.ts';
import { checkTransaction, createMvcc } from './memory-mvcc.ts';
import { type Watched, watchMemory } from './memory-watch.ts';

export interface MemoryStore {
  readonly clusterId: string;
  /** The revision of the last commit; 1 in an empty store. */
  readonly revision: number;
  /** An independent client. Closing it ends its watches and fails its later calls; nothing else. */
  connect(): Kv;
  /** Forgets the history before the revision, as etcd's compaction does. */
  compact(revision: number): void;
  /** False: every call of every client fails with `unavailable`, and every watch breaks. */
  setAvailable(available: boolean): void;
  /** Stops the leases' timers, so that a process on a real clock can exit. */
  close(): void;
}

/** What the clients see of the store. */
interface Shared extends Watched {
  readonly leases: Leases;
  available: boolean;
  outages: number;
}

/**
 * `random` draws the cluster id, the lease ids and how late an expiry is
 * noticed (0-500 ms, as in etcd). Without it the cluster id is 1, lease ids
 * count up and leases expire on the millisecond.
 */
export function createMemoryStore(options: { readonly clock: Clock; readonly random?: Random }): MemoryStore {
  const { clock, random } = options;
  const mvcc = createMvcc();
  const leases = createLeases({ clock, random, onExpired: (leaseId) => dropLease(shared, leaseId) });
  const clusterId = random === undefined ? '1' : String(BigInt(`0x${hex(random, 16)}`));
  const shared: Shared = { mvcc, leases, clusterId, available: true, outages: 0, sleepers: new Set() };
  return {
    clusterId,
    get revision() {
      return mvcc.revision;
    },
    connect: () => createClient(shared),
    compact: (revision) => mvcc.compact(revision),
    setAvailable: (available) => {
      if (available === shared.available) return;
      shared.available = available;
      if (available) {
        leases.resume();
      } else {
        leases.suspend();
        shared.outages += 1;
        wakeAll(shared);
      }
    },
    close: () => leases.suspend(),
  };
}

function createClient(store: Shared): Kv {
  const watcher = { isClosed: false, sleepers: new Set<() => void>() };
  const { mvcc, leases } = store;
  const header = (): Header => ({ clusterId: store.clusterId, revision: mvcc.revision });

  /** Async, so that no caller ever sees an answer before its own next line has run. */
  const call = async <T>(effect: () => T): Promise<T> => {
    if (watcher.isClosed) throw new RigError('aborted', 'the client was closed');
    if (!store.available) throw new RigError('unavailable', 'the store in memory is switched off');
    return effect();
  };

  const transact = ({ compare, writes }: Transaction): { succeeded: boolean } => {
    checkTransaction(compare, writes);
    if (!mvcc.holds(compare)) return { succeeded: false };
    for (const write of writes) {
      if (write.kind !== 'put' || (write.lease ?? '0') === '0') continue;
      if (!leases.exists(write.lease as string)) {
        throw new RigError('not_found', `lease ${write.lease} of ${write.key} does not exist`);
      }
    }
    mvcc.commit(writes);
    return { succeeded: true };
  };

  return {
    get: (key) => call(() => ({ kv: mvcc.get(key), ...header() })),
    list: (prefix, options) => call(() => ({ ...mvcc.list(prefix, options), ...header() })),
    transact: (transaction) => call(() => ({ ...transact(transaction), ...header() })),
    grantLease: (ttlSeconds) => call(() => leases.grant(ttlSeconds)),
    keepLeaseAlive: (leaseId) => call(() => leases.renew(leaseId)),
    revokeLease: (leaseId) => call(() => dropLease(store, leaseId)),
    listLeases: () => call(() => leases.ids()),
    watch: (options) => watchMemory(store, { ...options, watcher }),
    close: async () => {
      watcher.isClosed = true;
      wakeAll(watcher);
    },
  };
}

function wakeAll({ sleepers }: { readonly sleepers: ReadonlySet<() => void> }): void {
  for (const wake of [...sleepers]) wake();
}

function dropLease(store: Shared, leaseId: string): void {
  const keys = store.mvcc.keysOfLease(leaseId);
  store.leases.remove(leaseId);
  store.mvcc.commit(keys.map((key) => ({ kind: 'delete', key })));
}
