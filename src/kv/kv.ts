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
  /** True when `limit` left something out. */
  readonly more: boolean;
}

/** A part of a list. The pages of one list are consistent when all name one revision. */
export interface ListOptions {
  /** Only keys that come after this one, which need not exist. */
  readonly after?: string;
  /** At most so many keys. Default: all. */
  readonly limit?: number;
  /**
   * As of this revision: `compacted` when it is no longer kept, `invalid` when it is yet to
   * come. The answer's own `revision` is the store's nonetheless. Default: as of now.
   */
  readonly revision?: number;
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

/**
 * `previous`: the key as it was before, if the watch asked for it and there was one. It is
 * missing, too, when the revision before the event was compacted away before the event was
 * delivered: a watch that lags still gets the event, and only that. So its absence proves
 * nothing; a put's `version` of 1 does.
 */
export type WatchEvent =
  | { readonly kind: 'put'; readonly kv: KeyValue; readonly previous?: KeyValue }
  | {
      readonly kind: 'delete';
      readonly key: string;
      readonly modRevision: number;
      readonly previous?: KeyValue;
    };

/** The revision that the event is of. */
export function revisionOf(event: WatchEvent): number {
  return event.kind === 'put' ? event.kv.modRevision : event.modRevision;
}

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
  /** Each event carries what it replaced, where that is still kept. Default: false. */
  readonly previous?: boolean;
  readonly signal: AbortSignal;
}

/**
 * The store. All reads are linearizable. Failures are RigErrors:
 * `unavailable` or `timeout` when no answer came (a write is then not
 * `definite`: it may have happened), `not_found` for a lease that is gone,
 * `compacted` for a watch from a revision that is no longer kept, or that a
 * store which lost its data has not reached again, `invalid` for what etcd
 * refuses (a key that one transaction puts twice), `unsupported` when the store
 * and the client do not accept each other (password, permissions, certificates),
 * which waiting does not mend, `aborted` when the signal fired or the client was
 * closed. No call takes longer than the backend's deadline.
 */
export interface Kv {
  get(key: string): Promise<GetResult>;
  /** Every key under the prefix, or a page of them, in key order, all as of one revision. */
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  transact(transaction: Transaction): Promise<TransactionResult>;
  grantLease(ttlSeconds: number): Promise<Lease>;
  /** Renews the lease once and answers with the seconds that it now has. `not_found` if it is gone. */
  keepLeaseAlive(leaseId: string): Promise<number>;
  revokeLease(leaseId: string): Promise<void>;
  /** The ids of every live lease. */
  listLeases(): Promise<readonly string[]>;
  /**
   * One stream of events. Its first batch is a bookmark at `fromRevision` - 1,
   * which says that the watch is established, and at which cluster; that the
   * revision is no longer kept may still come after it. The stream ends by
   * throwing: `unavailable` when the connection is lost, `compacted`, or
   * `aborted`. Resuming is the caller's business (kv/follow.ts), for only the
   * caller knows what it has seen.
   */
  watch(options: WatchOptions): AsyncIterable<WatchBatch>;
  close(): Promise<void>;
}
