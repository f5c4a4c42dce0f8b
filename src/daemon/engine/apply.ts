// A plan's actions as fenced transactions.

import { hasCode } from '../../base/errors.ts';
import { LEADER_KEY, specKey, volumeKey } from '../../kv/keys.ts';
import type { Compare, KeyValue, Kv, Write } from '../../kv/kv.ts';
import {
  type Author,
  assigned,
  cloneCancelled,
  cloneGranted,
  delayed,
  granted,
  moveCancelled,
  moveGranted,
  retried,
  settled,
} from '../../model/changes.ts';
import type { Volume } from '../../model/volume.ts';
import type { Action } from './action.ts';

/** The write that an action stands for. Pure. */
export function writeOf(action: Action, author: Author): Write {
  const key = volumeKey(action.volume.id);
  if (action.kind === 'drop') return { kind: 'delete', key };
  return { kind: 'put', key, value: JSON.stringify(changed(action, author)) };
}

function changed(action: Exclude<Action, { kind: 'drop' }>, author: Author): Volume {
  switch (action.kind) {
    case 'assign':
      return assigned(action.volume, action.node, author);
    case 'unassign':
      return delayed(assigned(action.volume, null, author), action.reason, author);
    case 'grant':
      return granted(action.volume, author);
    case 'clone':
      return cloneGranted(action.volume, action.node, author);
    case 'move':
      return moveGranted(action.volume, action, author);
    case 'cancel':
      return moveCancelled(action.volume, action.reason, author);
    case 'cancel-clone':
      return cloneCancelled(action.volume, action.reason, author);
    case 'settle':
      return settled(action.volume, author);
    case 'delay':
      return delayed(action.volume, action.reason, author);
    case 'retry':
      return retried(action.volume, action.node, author);
  }
}

/** Whose spec the action was planned by: the room that it takes there must not have been taken away meanwhile. */
function nodeOf(action: Action): string | null {
  switch (action.kind) {
    case 'assign':
    case 'clone':
    case 'move':
    case 'retry':
      return action.node;
    case 'grant':
    case 'drop':
      return action.volume.node;
    default:
      return null;
  }
}

/**
 * - `written` at a revision;
 * - `stale`: somebody else changed the volume, or its node's spec, first; decide anew from a fresh view;
 * - `fenced`: another engine leads, or none; stop;
 * - `unknown`: no answer came. The write may still happen, even much later, so
 *   nothing may be decided in this term any more; a new term fences it off.
 */
export type Outcome =
  | { readonly kind: 'written'; readonly revision: number }
  | { readonly kind: 'stale' | 'fenced' | 'unknown' };

/** Writes the action if the volume and its node are still as they were planned for, and the leader still leads. */
export async function applyAction(options: {
  readonly kv: Kv;
  readonly fence: Compare;
  readonly action: Action;
  /** The volume's key as it was when the plan was made. */
  readonly stored: KeyValue;
  /** All keys as they were then. */
  readonly entries: ReadonlyMap<string, KeyValue>;
  readonly author: Author;
}): Promise<Outcome> {
  const { kv, fence, action, stored, entries, author } = options;
  const node = nodeOf(action);
  const spec: Compare[] = node === null ? [] : [specCompare(node, entries)];
  try {
    const { succeeded, revision } = await kv.transact({
      compare: [fence, { key: stored.key, target: 'mod', equals: stored.modRevision }, ...spec],
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

function specCompare(node: string, entries: ReadonlyMap<string, KeyValue>): Compare {
  const key = specKey(node);
  return { key, target: 'mod', equals: entries.get(key)?.modRevision ?? 0 };
}
