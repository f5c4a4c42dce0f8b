// What the agent does about one volume of its own, as a pure function of what
// etcd asks for and what is on the disk and in the NFS server.

import { gibToBytes } from '../../base/units.ts';
import { type ExportRule, sameRules } from '../../model/export.ts';
import type { Volume } from '../../model/volume.ts';
import type { Subvolume } from '../../storage/storage.ts';

/** What was found on this node. */
export interface Seen {
  readonly subvolume: Subvolume | undefined;
  /** Empty when the volume isn't exported; undefined when the NFS server can't be asked. */
  readonly rules: readonly ExportRule[] | undefined;
}

/** Something to do on the node. Each is idempotent. */
export type Deed =
  | { readonly kind: 'create'; readonly quotaBytes: number }
  | { readonly kind: 'set-quota'; readonly quotaBytes: number }
  | { readonly kind: 'export'; readonly rules: readonly ExportRule[] }
  | { readonly kind: 'unexport' }
  | { readonly kind: 'trash' };

/** What to write into etcd when all is done. */
export type Conclusion =
  /** Created or resized, and exported. */
  | { readonly kind: 'complete' }
  | { readonly kind: 'record-exports' }
  /** Delete the key. */
  | { readonly kind: 'forget' }
  | { readonly kind: 'fail'; readonly reason: string };

export interface Decision {
  readonly deeds: readonly Deed[];
  readonly conclusion: Conclusion | undefined;
}

export const NOTHING: Decision = { deeds: [], conclusion: undefined };

/**
 * Decides about a volume that is assigned to this node. Without `seen` it goes
 * by etcd alone, which is enough for most changes and saves looking; `look`
 * says that it isn't.
 */
export function decide(volume: Volume, seen: Seen | undefined): Decision | 'look' {
  switch (volume.state) {
    case 'scheduling':
      return {
        deeds: [
          { kind: 'create', quotaBytes: gibToBytes(volume.requested.reserved_size) },
          { kind: 'export', rules: volume.exports },
        ],
        conclusion: { kind: 'complete' },
      };
    case 'deleting':
      // Nobody may hold it open when it goes.
      return { deeds: [{ kind: 'unexport' }, { kind: 'trash' }], conclusion: { kind: 'forget' } };
    case 'resizing':
      return seen === undefined ? 'look' : resize(volume, seen);
    case 'ready':
    case 'pending':
    case 'error':
      return maintain(volume, seen);
    default:
      // Cloning and moving are not made yet.
      return NOTHING;
  }
}

function resize(volume: Volume, seen: Seen): Decision {
  if (seen.subvolume === undefined) return missing();
  const quotaBytes = gibToBytes(volume.requested.reserved_size);
  const { usedBytes } = seen.subvolume;
  if (quotaBytes < usedBytes) {
    const reason = `${usedBytes} bytes are in use, more than the ${quotaBytes} asked for`;
    return { deeds: [], conclusion: { kind: 'fail', reason } };
  }
  return {
    deeds: [{ kind: 'set-quota', quotaBytes }, ...exportIfDifferent(volume, seen)],
    conclusion: { kind: 'complete' },
  };
}

/** Keeps what was created as it is meant to be, and follows the exports. */
function maintain(volume: Volume, seen: Seen | undefined): Decision {
  const { actual } = volume;
  if (actual === null) return NOTHING;
  const due = !sameRules(actual.exports, volume.exports);
  const conclusion: Conclusion | undefined = due ? { kind: 'record-exports' } : undefined;
  if (seen === undefined) {
    return { deeds: due ? [{ kind: 'export', rules: volume.exports }] : [], conclusion };
  }
  if (seen.subvolume === undefined) return volume.state === 'ready' ? missing() : NOTHING;
  const quotaBytes = gibToBytes(actual.reserved_size);
  const quotaDeeds: Deed[] =
    seen.subvolume.quotaBytes === quotaBytes ? [] : [{ kind: 'set-quota', quotaBytes }];
  return { deeds: [...quotaDeeds, ...exportIfDifferent(volume, seen)], conclusion };
}

function exportIfDifferent(volume: Volume, seen: Seen): Deed[] {
  const known = sameRules(volume.actual?.exports ?? [], volume.exports);
  const there = seen.rules === undefined || sameRules(seen.rules, volume.exports);
  return known && there ? [] : [{ kind: 'export', rules: volume.exports }];
}

/** An empty one in its place would look like the data gone: people must see this. */
function missing(): Decision {
  return { deeds: [], conclusion: { kind: 'fail', reason: 'its subvolume is missing from the disk' } };
}
