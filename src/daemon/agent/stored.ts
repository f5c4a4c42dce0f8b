// Writing a volume in place of what was read.

import type { Clock } from '../../base/clock.ts';
import { volumeKey } from '../../kv/keys.ts';
import type { Kv, TransactionResult, Write } from '../../kv/kv.ts';
import type { Author } from '../../model/changes.ts';
import type { Volume } from '../../model/volume.ts';
import type { StoredVolume } from './move/types.ts';

export function authorOf({ clock, node }: { readonly clock: Clock; readonly node: string }): Author {
  return { writer: { role: 'agent', node, term: null }, nowMs: clock.nowMs() };
}

/** Only if the volume is still as it was read. With null its key is deleted. Rejects as the store does. */
export function replace(
  kv: Kv,
  { volume: { id }, modRevision }: StoredVolume,
  changed: Volume | null,
): Promise<TransactionResult> {
  const key = volumeKey(id);
  const write: Write =
    changed === null ? { kind: 'delete', key } : { kind: 'put', key, value: JSON.stringify(changed) };
  return kv.transact({ compare: [{ key, target: 'mod', equals: modRevision }], writes: [write] });
}
