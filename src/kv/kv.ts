// The part of etcd's v3 API that Cobalt uses, as a port. kv/etcd.ts talks to a
// real cluster, kv/memory.ts is the model of it; both pass one contract suite.

/** A key with its value and etcd's metadata. Revisions count commits of the whole store. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Number of writes since the key was created; 1 at creation. */
  readonly version: number;
  /** Decimal lease id, or '0' for none. Leases are int64, hence text. */
  readonly lease: string;
}

/** Every answer tells which cluster gave it, and at which revision of the store. */
export interface Header {
  /** Decimal; changes when somebody replaces the whole cluster. */
  readonly clusterId: string;
  readonly revision: number;
}

export interface GetResult extends Header {
  readonly kv: KeyValue | undefined;
}

export interface ListResult extends Header {
  readonly kvs: readonly KeyValue[];
}

/** A guard of a transaction; a missing key has create and mod revision and version 0. */
export interface Compare {
  readonly key: string;
  readonly target: 'mod' | 'create' | 'version';
  readonly equals: number;
}

export type Write =
  | { readonly kind: 'put'; readonly key: string; readonly value: string; readonly lease?: string }
  | { readonly kind: 'delete'; readonly key: string };

/** If every compare holds, all writes are applied in one revision; otherwise none. */
export interface Transaction {
  readonly compare: readonly Compare[];
  readonly writes: readonly Write[];
}

export interface TransactionResult extends Header {
  readonly succeeded: boolean;
}

export interface Lease {
  readonly id: string;
  /** What the server granted, which may be more than was asked for. */
  readonly ttlSeconds: number;
}

export type WatchEvent =
  | { readonly kind: 'put'; readonly kv: KeyValue }
  | { readonly kind: 'delete'; readonly key: string; readonly modRevision: number };

/**
 * All events of one or more whole revisions, in order; never half a revision.
 * With no events it is a bookmark: nothing happened up to `revision`.
 */
export interface WatchBatch extends Header {
  readonly events: readonly WatchEvent[];
}

export interface WatchOptions {
  /** Every key that begins with this. */
  readonly prefix: string;
  /** First revision to deliver. */
  readonly fromRevision: number;
  readonly signal: AbortSignal;
}

/**
 * The store. All reads are linearizable. Failures are RigErrors:
 * `unavailable` or `timeout` when no answer came (a write is then not
 * `definite`: it may have happened), `not_found` for a lease that is gone,
 * `compacted` for a watch from a revision that is no longer kept, or that a
 * store which lost its data has not reached again, `invalid` for what etcd
 * refuses (a key that one transaction puts twice), `aborted` when the signal
 * fired or the client was closed. No call takes longer than the backend's deadline.
 */
export interface Kv {
  get(key: string): Promise<GetResult>;
  /** Every key under the prefix, in key order, all as of one revision. */
  list(prefix: string): Promise<ListResult>;
  transact(transaction: Transaction): Promise<TransactionResult>;
  grantLease(ttlSeconds: number): Promise<Lease>;
  /** Renews the lease once and answers with the seconds that it now has. `not_found` if it is gone. */
  keepLeaseAlive(leaseId: string): Promise<number>;
  revokeLease(leaseId: string): Promise<void>;
  /** The ids of every live lease. */
  listLeases(): Promise<readonly string[]>;
  /**
   * One stream of events. Its first batch is a bookmark at `fromRevision` - 1,
   * which says that the watch is established, and at which cluster. It ends by throwing: `unavailable` when the
   * connection is lost, `compacted`, or `aborted`. Resuming is the caller's
   * business (kv/follow.ts), for only the caller knows what it has seen.
   */
  watch(options: WatchOptions): AsyncIterable<WatchBatch>;
  close(): Promise<void>;
}
