// A node's disk as a port: subvolumes with quotas. storage/btrfs.ts is the real
// one, storage/memory.ts its model; both pass one contract suite.

import type { DiskHealth } from '../model/node.ts';
import type { Compression } from '../model/volume.ts';

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
  /** Where volumes of this node may have been handed over to (daemon/agent/move/doubts.ts), by id. Absent: none. */
  readonly leaving?: Readonly<Record<string, string>> | undefined;
}

/**
 * A read-only copy of a volume, which moves go by: frozen from the volume on its old node, received
 * on its new one. Copies are no volumes: `list` doesn't have them, and nothing exports them.
 */
export interface Copy {
  /** Of the volume. */
  readonly id: string;
  /** Unique among the copies of the volume (copyNameSchema of model/names.ts). */
  readonly name: string;
}

/** Bytes as they come, in order. Ends by throwing if they can't be had. */
export type Bytes = AsyncIterable<Uint8Array>;

/**
 * Every call is idempotent: done again after a crash at any point it ends in
 * the same state (`receive`, which refuses what is there, leaves it so). Failures are RigErrors with code `io`,
 * or `not_found` when the subvolume isn't there. Ids were validated by model/volume.ts; a backend
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
  /** Makes a writable snapshot of the parent, with a quota of its own. One that is there already is kept. */
  clone(options: {
    readonly id: string;
    readonly parentId: string;
    readonly quotaBytes: number;
  }): Promise<void>;
  /**
   * Rewrites the files in large extents, and with `compression` (null: as they are) sets how this and all
   * new data is compressed. Answers with the bytes in use before and after. May take long; ends early,
   * with `aborted`, when the signal fires. What was done by then stays done.
   */
  rewrite(options: {
    readonly id: string;
    readonly compression: Compression | null;
    readonly signal?: AbortSignal;
  }): Promise<{ readonly beforeBytes: number; readonly afterBytes: number }>;

  /** The complete copies on this disk, whoever made them. */
  copies(): Promise<readonly Copy[]>;
  /** Copies the volume as it is now; a complete copy of that name is kept. */
  freeze(copy: Copy): Promise<void>;
  /**
   * The copy as a stream for `receive`: only what differs from the copy `base` if that is given. Ends
   * whatever runs when its consumer stops early.
   */
  send(copy: Copy, options?: { readonly base?: string }): Bytes;
  /**
   * Makes the copy from a stream; a copy that isn't complete is begun anew. It is complete when this
   * resolves, and isn't there if it rejects, unless with `conflict`: then it is complete already, or is
   * being made, and stays as it is. An incremental stream needs its base to be here.
   */
  receive(copy: Copy, stream: Bytes): Promise<void>;
  /**
   * SHA-256 over names, kinds, modes, owners and contents of everything in the copy, and when files were last
   * modified (where the backend knows), in hexadecimal.
   */
  digest(copy: Copy, signal?: AbortSignal): Promise<string>;
  /** Makes the volume from a copy, writable and with its quota. A volume that is there already is kept. */
  adopt(copy: Copy, options: { readonly quotaBytes: number }): Promise<void>;
  /** Ends the copy, complete or not; absent is fine. */
  discard(copy: Copy): Promise<void>;

  /** As the disk is now: by its mount, its space and its error counters, and by what calls have met. */
  health(): Promise<DiskHealth>;
  /** Moves the subvolume out of sight, to the trash folder; absent is fine. */
  trash(id: string): Promise<void>;
  /**
   * Ends for good whatever has been in the trash for at least `olderThanMs`, by
   * the wall clock and (up to an hour of it) by what this object has seen since
   * an earlier call; answers with how many. Tries all of them before it throws.
   * Copies that a crash left incomplete go too, at once; not those that this object is receiving.
   */
  purgeTrash(options: { readonly olderThanMs: number }): Promise<number>;
  /** Null on a new disk. */
  binding(): Promise<DiskBinding | null>;
  /** Writes the binding, durably, in place of the one before. */
  bind(binding: DiskBinding): Promise<void>;
}
