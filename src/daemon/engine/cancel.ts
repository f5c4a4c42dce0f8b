// Moves and clones that can't come to an end as they are.

import { isOnItsWay, type Volume } from '../../model/volume.ts';
import type { Action } from './action.ts';
import { canBeLeft, type Room } from './room.ts';
import { moveFailure, type Setback } from './setbacks.ts';

/** Calls a move off that doesn't get on. After the handover the volume is on the new node, however that is. */
export function cancel(volume: Volume, room: Room): Action | undefined {
  const { task } = volume.control;
  const reason = obstacleTo(volume, room);
  if (reason === undefined || task?.kind !== 'move' || task.node === null) return undefined;
  return { kind: 'cancel', volume, reason: callingOff({ node: task.node, reason }) };
}

/** What a volume says whose move was called off. */
export function callingOff({ node, reason }: Pick<Setback, 'node' | 'reason'>): string {
  return `the move to node ${node} was called off: ${reason}`;
}

/** Why a volume that is on its way won't arrive; undefined if it may, or if it isn't on its way. */
export function obstacleTo(volume: Volume, room: Room): string | undefined {
  const { task } = volume.control;
  if (!isOnItsWay(volume) || task?.kind !== 'move') return undefined;
  const target = room.node(task.node);
  if (target === undefined) return 'that node is away';
  // One that is full may be so because of this very copy. Whether the rest fits is for the agents to say.
  if (target.disk !== 'ok' && target.disk !== 'full') return `the disk of that node is ${target.disk}`;
  const own = room.node(volume.node);
  if (own === undefined) return `node ${volume.node} is away`;
  if (!canBeLeft(own)) return `the disk of node ${own.name} is ${own.disk}`;
  return moveFailure(volume);
}

/**
 * Takes a clone back that was to be made on a node which is away, so that it can be changed or deleted, and made
 * wherever its parent is. What the node's agent may have made of it meanwhile is nobody's, or is gone on with.
 */
export function cancelClone(volume: Volume, room: Room): Action | undefined {
  if (room.node(volume.node) !== undefined) return undefined;
  const where = volume.actual === null ? `node ${volume.node}, where its parent is,` : `node ${volume.node}`;
  return { kind: 'cancel-clone', volume, reason: `${where} is away` };
}
