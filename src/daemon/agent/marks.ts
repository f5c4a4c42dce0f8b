// Whether a disk and a store belong together: what each says of the other,
// compared (binding.ts). Pure.

import { z } from 'zod';
import type { KeyValue } from '../../kv/kv.ts';
import { parseStored } from '../../model/parse.ts';
import type { DiskBinding } from '../../storage/storage.ts';

const markSchema = z.strictObject({ disk: z.string(), mark: z.int().positive() });

export interface Refusal {
  readonly event: 'cluster.empty' | 'cluster.changed' | 'disk.foreign' | 'disk.unaccounted';
  readonly reason: string;
}

export function formatMark(mark: z.infer<typeof markSchema>): string {
  return JSON.stringify(mark);
}

/** Why a disk with this binding must be left alone by this node and in this store. */
export function mismatch(
  bound: DiskBinding,
  at: {
    readonly node: string;
    readonly identity: string;
    readonly revision: number;
    readonly stored: KeyValue | undefined;
    readonly wentBack: boolean;
  },
): Refusal | undefined {
  if (bound.node !== at.node) return { event: 'disk.foreign', reason: `it is node ${bound.node}'s` };
  const changed = (reason: string): Refusal => ({ event: 'cluster.changed', reason });
  if (bound.cluster !== at.identity) return changed('it has another identity');
  if (at.wentBack || at.revision < bound.revision) return changed('its revisions went back');
  if (markOf(bound, at.stored) < bound.mark) return changed("it lacks the disk's mark");
  return undefined;
}

/** What the key `disks/<node>` holds; 0 when there is none of this disk's. */
export function markOf(bound: DiskBinding, stored: KeyValue | undefined): number {
  if (stored === undefined) return 0;
  const { disk, mark } = parseStored(markSchema, stored);
  return disk === bound.disk ? mark : 0;
}
