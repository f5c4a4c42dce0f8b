// Where volumes are created, and created again after a failure.

import { gibToBytes } from '../../base/units.ts';
import { satisfies } from '../../model/names.ts';
import type { Volume } from '../../model/volume.ts';
import { type Action, delay } from './action.ts';
import { isSchedulable, type Room, type Wish } from './room.ts';

/** A node for a volume that has none, or one that it should not be created on. */
export function schedule(volume: Volume, room: Room): Action | undefined {
  const own = room.node(volume.node);
  // Made, and perhaps exported already: its node is the only one that can finish it.
  if (volume.actual !== null) {
    return own === undefined ? delay(volume, `node ${volume.node} is away`) : undefined;
  }
  // Its agent is alive and will create it.
  if (own !== undefined && isSchedulable(own)) return undefined;
  const wish = wishOf(volume);
  const node = place(wish, room);
  if (node !== undefined) return { kind: 'assign', volume, node };
  // However its node is: no other would be better, and its agent may be creating it right now.
  if (own !== undefined) return undefined;
  const reason = room.whyNone(wish);
  return volume.node === null ? delay(volume, reason) : { kind: 'unassign', volume, reason };
}

/**
 * One that was never created goes to any other node before the one where it failed:
 * a node whose disk is broken stays the emptiest, and would get it again for ever.
 */
export function retry(volume: Volume, room: Room): Action {
  const { node: own, actual, control } = volume;
  if (actual !== null) return { kind: 'retry', volume, node: own };
  // A clone is where its parent is then.
  if (control.parent_id !== null) return { kind: 'retry', volume, node: null };
  const node = place(wishOf(volume), room) ?? (fitsAgain(volume, room) ? own : null);
  return { kind: 'retry', volume, node };
}

/** There is no disk that it would have to be deleted from first: it isn't on any, or on one that won't come back. */
export function isNowhere({ node, actual }: Volume, room: Room): boolean {
  return node === null || (actual === null && room.node(node) === undefined) || room.isLost(node);
}

function wishOf({ node, requested }: Volume): Wish {
  const { constraints, reserved_size: sizeGib } = requested;
  return { bytes: gibToBytes(sizeGib), constraints, except: node };
}

function place(wish: Wish, room: Room): string | undefined {
  const node = room.find(wish);
  if (node !== undefined) room.take(node, wish.bytes);
  return node;
}

/** On the node where it failed. Its reservation there was never given up. */
function fitsAgain({ node, requested }: Volume, room: Room): boolean {
  const own = room.node(node);
  return (
    own !== undefined &&
    isSchedulable(own) &&
    satisfies(own.labels, requested.constraints) &&
    own.freeBytes >= 0 &&
    own.availableBytes >= gibToBytes(requested.reserved_size)
  );
}
