// Draining: every volume that is on a node which is to be emptied goes elsewhere, and says so when it can't.

import type { Volume } from '../../model/volume.ts';
import { type Action, delay } from './action.ts';
import { depart, destinationFor } from './depart.ts';
import type { Planning } from './planning.ts';
import { canBeLeft } from './room.ts';

/**
 * For a volume that is ready, or that can't have what it asked for where it is. Undefined if nothing is to be
 * done about it now: what is already on its way, and what is being worked on, ends first.
 */
export function drain(volume: Volume, planning: Planning): Action | undefined {
  const { room, moves } = planning;
  const own = room.node(volume.node);
  if (own === undefined || !own.draining || !moves.mayBegin('drain')) return undefined;
  const because = `node ${own.name} is draining`;
  const destination = destinationFor(volume, planning);
  if (destination.node === undefined) return delay(volume, `${because}, and ${destination.why}`);
  if (!canBeLeft(own)) return delay(volume, `${because}, and its disk is ${own.disk}`);
  const departure = depart(volume, { node: destination.node, cause: 'drain' }, planning);
  return departure.kind === 'departed' ? departure.action : undefined;
}

/** The reason why a volume couldn't leave, when it needn't any more. */
export function forgive(volume: Volume, { room }: Planning): Action | undefined {
  const own = room.node(volume.node);
  const isOver = volume.control.error !== null && own !== undefined && !own.draining;
  return isOver ? { kind: 'settle', volume } : undefined;
}
