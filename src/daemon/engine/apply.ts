// A plan's actions as fenced transactions.

import { hasCode } from '../../base/errors.ts';
import { LEADER_KEY, volumeKey } from '../../kv/keys.ts';
import type { Compare, KeyValue, Kv, Write } from '../../kv/kv.ts';
import { type Author, assigned, delayed, granted, retried } from '../../model/changes.ts';
import type { Action } from './plan.ts';

/** The write that an action stands for. Pure. */
export function writeOf(action: Action, author: Author): Write {
  const key = volumeKey(action.volume.id);
  if (action.kind === 'drop') return { kind: 'delete', key };
  return { kind: 'put', key, value: JSON.stringify(changed(action, author)) };
}

function changed(action: Exclude<Action, { kind: 'drop' }>, author: Author) {
  switch (action.kind) {
    case 'assign':
      return assigned(action.volume, action.node, author);
    case 'unassign':
      return delayed(assigned(action.volume, null, author), action.reason, author);
    case 'grant':
      return granted(action.volume, author);
    case 'delay':
      return delayed(action.volume, action.reason, author);
    case 'retry':
      return retried(action.volume, action.node, author);
  }
}

/**
 * - `written` at a revision;
 * - `stale`: somebody else changed the volume first; decide anew from a fresh view;
 * - `fenced`: another engine leads, or none; stop;
 * - `unknown`: no answer came. The write may still happen, even much later, so
 *   nothing may be decided in this term any more; a new term fences it off.
 */
export type Outcome =
  | { readonly kind: 'written'; readonly revision: number }
  | { readonly kind: 'stale' | 'fenced' | 'unknown' };

/** Writes the action if the volume is still as it was planned for and the leader still leads. */
export async function applyAction(options: {
  readonly kv: Kv;
  readonly fence: Compare;
  readonly action: Action;
  /** The volume's key as it was when the plan was made. */
  readonly stored: KeyValue;
  readonly author: Author;
}): Promise<Outcome> {
  const { kv, fence, action, stored, author } = options;
  try {
    const { succeeded, revision } = await kv.transact({
      compare: [fence, { key: stored.key, target: 'mod', equals: stored.modRevision }],
      writes: [writeOf(action, author)],
    });
    if (succeeded) return { kind: 'written', revision };
    const leader = await kv.get(LEADER_KEY);
    return { kind: leader.kv?.createRevision === fence.equals ? 'stale' : 'fenced' };
  } catch (error) {
    if (hasCode(error, 'unavailable', 'timeout')) return { kind: 'unknown' };
    throw error;
  }
}
