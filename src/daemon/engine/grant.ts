// Pending volumes that are somewhere: another size, other constraints, a rewrite, a move.

import { gibToBytes } from '../../base/units.ts';
import { satisfies } from '../../model/names.ts';
import type { Volume } from '../../model/volume.ts';
import { type Action, delay } from './action.ts';
import { callingOff } from './cancel.ts';
import { type Destination, depart, destinationFor, moveWishOf } from './depart.ts';
import type { Planning } from './planning.ts';
import { canBeLeft, gibText, isSchedulable, type NodeRoom, type Room, type Wish } from './room.ts';

/** Undefined while it waits for something that ends by itself. */
export function grant(volume: Volume, planning: Planning): Action | undefined {
  const { task } = volume.control;
  const own = planning.room.node(volume.node);
  if (task?.kind === 'move' && task.cause !== 'asked' && isAsRequested(volume)) {
    // It was called off. Whether it is still wanted shows when the volume is ready.
    return { kind: 'settle', volume };
  }
  if (own === undefined) return delay(volume, `node ${volume.node} is away`);
  if (task?.kind === 'rewrite') return stay(volume, own, planning.room);
  if (task?.kind === 'move' && task.cause === 'asked') {
    if (task.node === own.name) return stay(volume, own, planning.room);
    return moveAsAsked(volume, { own, target: task.node, planning });
  }
  const unfit = misfitOf(volume, own);
  if (unfit === undefined) return stay(volume, own, planning.room);
  return moveToFit(volume, { own, unfit, planning });
}

/** Size and constraints are what it has. */
export function isAsRequested({ requested, actual }: Volume): boolean {
  if (actual === null || requested.reserved_size !== actual.reserved_size) return false;
  const [wanted, had] = [Object.entries(requested.constraints), Object.entries(actual.constraints)];
  return wanted.length === had.length && satisfies(actual.constraints, requested.constraints);
}

function extraBytesOf({ requested, actual }: Volume): number {
  return Math.max(0, gibToBytes(requested.reserved_size) - gibToBytes(actual?.reserved_size ?? 0));
}

/** Why the volume can't get what it asks for on its own node; undefined if it can. */
function misfitOf(volume: Volume, own: NodeRoom): string | undefined {
  if (!satisfies(own.labels, volume.requested.constraints)) {
    return `node ${own.name} does not satisfy the constraints`;
  }
  return narrownessOf(volume, own);
}

function narrownessOf(volume: Volume, own: NodeRoom): string | undefined {
  const extraBytes = extraBytesOf(volume);
  if (extraBytes === 0) return undefined;
  if (own.disk !== 'ok') return `the disk of node ${own.name} is ${own.disk}`;
  return extraBytes > own.freeBytes || extraBytes > own.availableBytes
    ? `node ${own.name} has not ${gibText(extraBytes)} GiB more free`
    : undefined;
}

/** What it asks for is done on its own node, or nothing is to be done at all. */
function stay(volume: Volume, own: NodeRoom, room: Room): Action {
  const { task } = volume.control;
  const narrowness = task?.kind === 'rewrite' ? narrownessOf(volume, own) : misfitOf(volume, own);
  if (narrowness !== undefined) return delay(volume, narrowness);
  if (task?.kind === 'move' && isAsRequested(volume)) return { kind: 'settle', volume };
  room.take(own.name, extraBytesOf(volume));
  return { kind: 'grant', volume };
}

function moveToFit(
  volume: Volume,
  context: { readonly own: NodeRoom; readonly unfit: string; readonly planning: Planning },
): Action | undefined {
  const { own, unfit, planning } = context;
  const destination = destinationFor(volume, planning);
  if (destination.node === undefined) return delay(volume, `${unfit}, and ${destination.why}`);
  if (!canBeLeft(own)) return delay(volume, `${unfit}, and its disk is ${own.disk}`);
  const departure = depart(volume, { node: destination.node, cause: 'fit' }, planning);
  if (departure.kind === 'departed') return departure.action;
  return departure.kind === 'waits'
    ? undefined
    : delay(volume, `${unfit}; it moves to another node when other moves have ended`);
}

function moveAsAsked(
  volume: Volume,
  context: { readonly own: NodeRoom; readonly target: string | null; readonly planning: Planning },
): Action | undefined {
  const { own, target, planning } = context;
  if (!canBeLeft(own)) return delay(volume, `the disk of node ${own.name} is ${own.disk}`);
  const destination = target === null ? destinationFor(volume, planning) : named(volume, target, planning);
  if (destination.node === undefined) return delay(volume, destination.why);
  const departure = depart(volume, { node: destination.node, cause: 'asked' }, planning);
  return departure.kind === 'departed' ? departure.action : undefined;
}

/** The node that the client named, if it can take the volume. */
function named(volume: Volume, node: string, { room, avoidance }: Planning): Destination {
  const refusal = refusalOf(node, room, moveWishOf(volume));
  if (refusal !== undefined) return { node: undefined, why: refusal };
  const setback = avoidance.lastOf(volume, node);
  return setback === undefined ? { node } : { node: undefined, why: callingOff(setback) };
}

/** Why the named node can't take it. */
function refusalOf(name: string, room: Room, { bytes, constraints }: Wish): string | undefined {
  const target = room.node(name);
  if (target === undefined) return `node ${name} is away`;
  if (target.draining) return `node ${name} is draining`;
  if (!isSchedulable(target)) return `the disk of node ${name} is ${target.disk}`;
  if (!satisfies(target.labels, constraints)) return `node ${name} does not satisfy the constraints`;
  return target.freeBytes < bytes || target.availableBytes < bytes
    ? `node ${name} has not ${gibText(bytes)} GiB free`
    : undefined;
}
