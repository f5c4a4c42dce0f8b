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
 * Every call is idempotent: done again after a crash at any point it ends in
 * the same state. Failures are RigErrors with code `io`, or `not_found` when
 * the subvolume isn't there. Ids were validated by model/volume.ts; a backend
 * refuses (`invalid`) whatever isn't a plain id.
 */
export interface Storage {
  space(): Promise<DiskSpace>;
  list(): Promise<readonly Subvolume[]>;
  /** Makes the subvolume if absent and sets its quota. */
  create(options: { readonly id: string; readonly quotaBytes: number }): Promise<void>;
  setQuota(options: { readonly id: string; readonly quotaBytes: number }): Promise<void>;
  /** Moves the subvolume out of sight, to the trash folder; absent is fine. */
  trash(id: string): Promise<void>;
  /** Ends for good whatever has been in the trash for at least `olderThanMs`; answers with how many. */
  purgeTrash(options: { readonly olderThanMs: number }): Promise<number>;
  /** The id of the etcd cluster that this disk's volumes belong to; null on a new disk. */
  clusterId(): Promise<string | null>;
  /** Binds the disk to a cluster, durably. */
  bindCluster(clusterId: string): Promise<void>;
}
