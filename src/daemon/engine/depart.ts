// The beginning of a move: whatever its cause, a volume leaves its node only when the other
// node is found, a move may begin, and nothing is being made from it.

import { gibToBytes } from '../../base/units.ts';
import type { MoveCause, Volume } from '../../model/volume.ts';
import type { Action } from './action.ts';
import { callingOff } from './cancel.ts';
import type { Planning } from './planning.ts';
import type { Wish } from './room.ts';

/** What the volume will take on its new node, which is any but its own. */
export function moveWishOf({ node, requested, actual }: Volume): Wish {
  const sizeGib = Math.max(requested.reserved_size, actual?.reserved_size ?? 0);
  return { bytes: gibToBytes(sizeGib), constraints: requested.constraints, except: node };
}

export type Destination =
  | { readonly node: string }
  /** There is none now; why. */
  | { readonly node: undefined; readonly why: string };

/** The best node for the volume to go to, except where a move of it has just failed. */
export function destinationFor(volume: Volume, { room, avoidance }: Planning): Destination {
  const wish = moveWishOf(volume);
  const node = room.find({ ...wish, avoid: avoidance.nodesFor(volume) });
  if (node !== undefined) return { node };
  const setback = avoidance.lastOf(volume);
  const isAvoided = setback !== undefined && room.find(wish) !== undefined;
  return { node, why: isAvoided ? callingOff(setback) : room.whyNone(wish) };
}

/**
 * `departed` with the move; `waits` for its clones; `refused` while others are on their way.
 * Only a departure takes anything.
 */
export type Departure =
  | { readonly kind: 'departed'; readonly action: Action }
  | { readonly kind: 'waits' | 'refused' };

export function depart(
  volume: Volume,
  { node, cause }: { readonly node: string; readonly cause: MoveCause },
  { room, moves, family }: Planning,
): Departure {
  if (!moves.mayBegin(cause)) return { kind: 'refused' };
  if (family.isBeingCloned(volume)) {
    family.holdClones(volume.id);
    return { kind: 'waits' };
  }
  room.take(node, moveWishOf(volume).bytes);
  moves.begin(volume, cause);
  return { kind: 'departed', action: { kind: 'move', volume, node, cause } };
}
