// A node's disk as a port: subvolumes with quotas. storage/btrfs.ts is the real
// one, storage/memory.ts its model; both pass one contract suite.

export interface Subvolume {
  readonly id: string;
  /** Hard limit of referenced bytes; null when none was set (a create that was cut short). */
  readonly quotaBytes: number | null;
  readonly usedBytes: number;
}

export interface DiskSpace {
  readonly totalBytes: number;
  readonly availableBytes: number;
}

/**
 * What a disk remembers of where it belongs. The agent writes it before it
 * creates anything, and touches nothing in a cluster that doesn't match it.
 */
export interface DiskBinding {
  /** The identity of the cluster (daemon/cluster.ts). */
  readonly cluster: string;
  /** The node whose volumes these are. */
  readonly node: string;
  /** 32 hexadecimal digits: tells two disks of one node apart. */
  readonly disk: string;
  /** Counts the marks that were left in etcd (daemon/agent/binding.ts); 0 before the first. */
  readonly mark: number;
  /** The store's revision at the last mark: it was there, and never goes back. */
  readonly revision: number;
}

/**
 * Every call is idempotent: done again after a crash at any point it ends in
 * the same state. Failures are RigErrors with code `io`, or `not_found` when
 * the subvolume isn't there. Ids were validated by model/volume.ts; a backend
 * refuses (`invalid`) whatever isn't a plain id.
 */
export interface Storage {
  space(): Promise<DiskSpace>;
  /** All of them; `usedBytes` may be half a minute old. */
  list(): Promise<readonly Subvolume[]>;
  /** One of them, with what is in use now; undefined when it isn't there. */
  find(id: string): Promise<Subvolume | undefined>;
  /** Makes the subvolume if absent and sets its quota. */
  create(options: { readonly id: string; readonly quotaBytes: number }): Promise<void>;
  setQuota(options: { readonly id: string; readonly quotaBytes: number }): Promise<void>;
  /** Moves the subvolume out of sight, to the trash folder; absent is fine. */
  trash(id: string): Promise<void>;
  /**
   * Ends for good whatever has been in the trash for at least `olderThanMs`, by
   * the wall clock and (up to an hour of it) by what this object has seen since
   * an earlier call; answers with how many. Tries all of them before it throws.
   */
  purgeTrash(options: { readonly olderThanMs: number }): Promise<number>;
  /** Null on a new disk. */
  binding(): Promise<DiskBinding | null>;
  /** Writes the binding, durably, in place of the one before. */
  bind(binding: DiskBinding): Promise<void>;
}
