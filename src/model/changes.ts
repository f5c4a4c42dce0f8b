// Every change that Cobalt makes to a volume, as a pure function from the volume
// that was read to the one to be written. They hold the graph of volume.ts.

import { RigError } from '../base/errors.ts';
import type { ExportRule } from './export.ts';
import {
  type Compression,
  illegality,
  isIdle,
  type MoveCause,
  moveTaskOf,
  type Reservation,
  type Task,
  type Volume,
  type Writer,
} from './volume.ts';

/**
 * How the reason begins for which a move on its way doesn't get on, and won't by itself: `control.error` says so
 * before the handover, and then the move is better called off.
 */
export const MOVE_FAILED_PREFIX = 'the move failed: ';

/** Who makes the change, and when (wall clock, milliseconds). */
export interface Author {
  readonly writer: Writer;
  readonly nowMs: number;
  /** Of the client's call; of changes that no client makes undefined: they are of the trace that the volume has. */
  readonly trace?: string | undefined;
}

/** What a client may choose about a new volume. */
export interface VolumeOrder {
  readonly name: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly requested: Reservation;
  readonly exports: readonly ExportRule[];
}

export function newVolume(id: string, order: VolumeOrder, author: Author): Volume {
  return {
    id,
    name: order.name,
    meta: { ...order.meta },
    state: 'scheduling',
    node: null,
    requested: order.requested,
    actual: null,
    exports: [...order.exports],
    control: {
      error: null,
      error_count: 0,
      parent_id: null,
      task: null,
      trace: author.trace ?? null,
      updated: new Date(author.nowMs).toISOString(),
      writer: author.writer,
    },
  };
}

/** A copy of another volume, as that one is when the agent gets to it. It waits for the engine to say where. */
export function newClone(
  id: string,
  order: VolumeOrder & { readonly parentId: string },
  author: Author,
): Volume {
  const volume = newVolume(id, order, author);
  return { ...volume, state: 'pending', control: { ...volume.control, parent_id: order.parentId } };
}

/** The engine gives the volume a node, or takes a dead one away from it (`null`). */
export function assigned(volume: Volume, node: string | null, author: Author): Volume {
  return change(volume, { node }, { error: null }, author);
}

/** The engine or the agent records why it can't go on (null: it can again); the volume stays where it is. */
export function delayed(volume: Volume, reason: string | null, author: Author): Volume {
  return change(volume, {}, { error: reason }, author);
}

/**
 * The agent has created or cloned it, and lets nobody in yet. From now on it stays where it is: no other node can be
 * given it. It has the `compression` (default: none) of what it was made from.
 */
export function made(
  volume: Volume,
  author: Author,
  { compression = 'none' }: { readonly compression?: Compression } = {},
): Volume {
  const actual = { ...volume.requested, exports: [], compression, space: null, pinned: false };
  return change(volume, { actual }, { error: null }, author);
}

/**
 * The agent has done what was asked for: created, cloned, resized, or received from another node. One that is new
 * has the `compression` (default: none) of what it was made from.
 */
export function completed(
  volume: Volume,
  author: Author,
  made: { readonly compression?: Compression } = {},
): Volume {
  const { compression = made.compression ?? 'none', space = null } = volume.actual ?? {};
  const move = moveTaskOf(volume);
  const pinned = move === undefined ? (volume.actual?.pinned ?? false) : move.cause === 'asked';
  const actual = { ...volume.requested, exports: volume.exports, compression, space, pinned };
  return change(volume, { state: 'ready', actual }, { error: null, error_count: 0, task: null }, author);
}

/** The agent has defragmented or compressed it. */
export function rewritten(
  volume: Volume,
  done: { readonly compression: Compression; readonly before: number; readonly after: number },
  author: Author,
): Volume {
  const { compression, before, after } = done;
  if (volume.actual === null)
    throw new RigError('internal', `volume ${volume.id} is rewritten but isn't created`);
  const actual = { ...volume.actual, compression, space: { before, after } };
  return change(volume, { state: 'ready', actual }, { error: null, error_count: 0, task: null }, author);
}

/** The agent has applied the exports; nothing else changes. */
export function exported(volume: Volume, author: Author): Volume {
  if (volume.actual === null)
    throw new RigError('internal', `volume ${volume.id} is exported but isn't created`);
  return change(volume, { actual: { ...volume.actual, exports: volume.exports } }, {}, author);
}

/**
 * A client asks for another size or other constraints, of a volume that is ready or stuck. One that
 * was never created loses its node: whether the other size fits there is for the engine to say.
 */
export function requested(volume: Volume, reservation: Reservation, author: Author): Volume {
  if (!isIdle(volume) || isHalfMade(volume)) {
    throw new RigError('conflict', `volume ${volume.id} can't be changed while it is ${volume.state}`);
  }
  const start: Partial<Volume> =
    volume.actual === null ? { state: startOf(volume), node: null } : { state: 'pending' };
  return change(volume, { ...start, requested: reservation }, { error: null, task: null }, author);
}

/** It is on its node's disk, and not exported yet: it can only be finished there, or deleted. */
function isHalfMade({ state, actual }: Volume): boolean {
  return state === 'scheduling' && actual !== null;
}

/** A client asks for work on a volume that is there, and ready or stuck: to move it, defragment it, compress it. */
export function tasked(volume: Volume, task: Task, author: Author): Volume {
  if (!isIdle(volume) || volume.actual === null || isHalfMade(volume)) {
    throw new RigError('conflict', `volume ${volume.id} can't be worked on while it is ${volume.state}`);
  }
  const { reserved_size, constraints } = volume.actual;
  // A move can still grant what was asked for and didn't fit; other work takes its place.
  const requested = task.kind === 'move' ? volume.requested : { reserved_size, constraints };
  return change(volume, { state: 'pending', requested }, { error: null, task }, author);
}

/** A client changes who may mount the volume. Possible in every state but deleting. */
export function reexported(volume: Volume, rules: readonly ExportRule[], author: Author): Volume {
  return change(volume, { exports: [...rules] }, {}, author);
}

/** The engine grants what was asked for; the agent carries it out. It stays where it is: a move is none any more. */
export function granted(volume: Volume, author: Author): Volume {
  const { task } = volume.control;
  if (task?.kind === 'rewrite') return change(volume, { state: 'rewriting' }, { error: null }, author);
  return change(volume, { state: 'resizing' }, { error: null, task: null }, author);
}

/** The engine has the clone made where its parent is. */
export function cloneGranted(volume: Volume, node: string, author: Author): Volume {
  return change(volume, { state: 'cloning', node }, { error: null }, author);
}

/**
 * The engine takes a clone back from a node that is away. What is on no disk yet, as far as anybody knows, is
 * made where its parent is then.
 */
export function cloneCancelled(volume: Volume, reason: string, author: Author): Volume {
  const place: Partial<Volume> = volume.actual === null ? { node: null } : {};
  return change(volume, { state: 'pending', ...place }, { error: reason }, author);
}

/** The engine sends the volume to another node. */
export function moveGranted(
  volume: Volume,
  { node, cause }: { readonly node: string; readonly cause: MoveCause },
  author: Author,
): Volume {
  const task: Task = { kind: 'move', cause, node, copy: null };
  return change(volume, { state: 'moving' }, { error: null, task }, author);
}

/** The engine calls a move off, before the handover. It is still wanted, but to another node. */
export function moveCancelled(volume: Volume, reason: string, author: Author): Volume {
  const move = moveTaskOf(volume);
  const again: Task | null = move === undefined ? volume.control.task : { ...move, node: null };
  return change(volume, { state: 'pending' }, { error: reason, task: again }, author);
}

/** There is nothing (more) to do about a volume that is pending, or that is ready and said why it had to wait. */
export function settled(volume: Volume, author: Author): Volume {
  return change(volume, { state: 'ready' }, { error: null, task: null }, author);
}

/** The old node's agent has ended its export, and the new node has `copy`: from now on the volume is there. */
export function handedOver(volume: Volume, copy: string, author: Author): Volume {
  const task = moveTaskOf(volume);
  if (task === undefined || task.node === null || volume.actual === null) {
    throw new RigError('internal', `volume ${volume.id} is not being moved`);
  }
  // Nobody exports it until the new node does.
  const actual = { ...volume.actual, exports: [] };
  return change(volume, { node: task.node, actual }, { error: null, task: { ...task, copy } }, author);
}

export function condemned(volume: Volume, author: Author): Volume {
  return change(volume, { state: 'deleting' }, { error: null }, author);
}

/** The agent could not do it. */
export function failed(volume: Volume, reason: string, author: Author): Volume {
  const count = volume.control.error_count + 1;
  return change(volume, { state: 'error' }, { error: reason, error_count: count }, author);
}

/**
 * The engine has another go: from the start if nothing was created, at the given node (null: none
 * as yet), else from the request, on its node. The error stays until the volume has got over it.
 */
export function retried(volume: Volume, node: string | null, author: Author): Volume {
  const fields: Partial<Volume> =
    volume.actual === null ? { state: startOf(volume), node } : { state: 'pending' };
  return change(volume, fields, {}, author);
}

/** Where the life of a volume that isn't anywhere yet begins. */
function startOf({ control }: Volume): 'scheduling' | 'pending' {
  return control.parent_id === null ? 'scheduling' : 'pending';
}

function change(
  volume: Volume,
  fields: Partial<Volume>,
  control: Partial<Volume['control']>,
  author: Author,
): Volume {
  const next: Volume = {
    ...volume,
    ...fields,
    control: {
      ...volume.control,
      ...control,
      trace: author.trace ?? volume.control.trace,
      updated: new Date(author.nowMs).toISOString(),
      writer: author.writer,
    },
  };
  const reason = illegality(volume, next);
  if (reason !== undefined) throw new RigError('conflict', `volume ${volume.id}: ${reason}`);
  return next;
}
