// What the agent may decide to do about a volume, as data (decide.ts makes it,
// deeds.ts does it, conclusions.ts writes it down).

import type { ExportRule } from '../../model/export.ts';
import type { Compression } from '../../model/volume.ts';
import type { Subvolume } from '../../storage/storage.ts';

/** What was found on this node. */
export interface Seen {
  readonly subvolume: Subvolume | undefined;
  /** Of a clone that isn't made yet: what it is to be made from; undefined when that isn't here. */
  readonly parent?: Subvolume | undefined;
  /** How that is compressed, and the clone with it. Default: not at all. */
  readonly parentCompression?: Compression | undefined;
  /** Empty when the volume isn't exported; undefined when the NFS server can't be asked. */
  readonly rules: readonly ExportRule[] | undefined;
}

/** How a rewrite ended that ran in the background (rewrites.ts). */
export type Rewrite =
  | {
      readonly kind: 'rewritten';
      readonly compression: Compression;
      /** Bytes in use. */
      readonly before: number;
      readonly after: number;
    }
  | { readonly kind: 'fail'; readonly reason: string };

/** Something to do on the node. Each is idempotent. */
export type Deed =
  | { readonly kind: 'create'; readonly quotaBytes: number }
  | { readonly kind: 'clone'; readonly parentId: string; readonly quotaBytes: number }
  /** Makes the volume from the copy that its old node has sent. */
  | { readonly kind: 'adopt'; readonly copy: string; readonly quotaBytes: number }
  | { readonly kind: 'set-quota'; readonly quotaBytes: number }
  | { readonly kind: 'export'; readonly rules: readonly ExportRule[] }
  | { readonly kind: 'unexport' }
  | { readonly kind: 'trash' };

/** What to write into etcd when all is done. */
export type Conclusion =
  /** Created or cloned, and nobody is let in yet. */
  | { readonly kind: 'record-made'; readonly compression?: Compression }
  /** Created, cloned, resized or received, and exported. */
  | { readonly kind: 'complete'; readonly compression?: Compression }
  | { readonly kind: 'record-exports' }
  /** Delete the key. */
  | { readonly kind: 'forget' }
  | Rewrite;

export interface Decision {
  readonly deeds: readonly Deed[];
  readonly conclusion: Conclusion | undefined;
}

export const NOTHING: Decision = { deeds: [], conclusion: undefined };
