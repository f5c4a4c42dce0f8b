// Every change that Cobalt makes to a volume, as a pure function from the volume
// that was read to the one to be written. They hold the graph of volume.ts.

import { RigError } from '../base/errors.ts';
import type { ExportRule } from './export.ts';
import { illegality, isIdle, type Reservation, type Volume, type Writer } from './volume.ts';

/** Who makes the change, and when (wall clock, milliseconds). */
export interface Author {
  readonly writer: Writer;
  readonly nowMs: number;
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
      updated: new Date(author.nowMs).toISOString(),
      writer: author.writer,
    },
  };
}

/** The engine gives the volume a node, or takes a dead one away from it (`null`). */
export function assigned(volume: Volume, node: string | null, author: Author): Volume {
  return change(volume, { node }, { error: null }, author);
}

/** The engine records why it can't go on; the volume stays where it is. */
export function delayed(volume: Volume, reason: string, author: Author): Volume {
  return change(volume, {}, { error: reason }, author);
}

/** The agent has done what was asked for: created, or resized. */
export function completed(volume: Volume, author: Author): Volume {
  const actual = { ...volume.requested, exports: volume.exports };
  return change(volume, { state: 'ready', actual }, { error: null, error_count: 0 }, author);
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
  if (!isIdle(volume)) {
    throw new RigError('conflict', `volume ${volume.id} can't be changed while it is ${volume.state}`);
  }
  const start: Partial<Volume> =
    volume.actual === null ? { state: 'scheduling', node: null } : { state: 'pending' };
  return change(volume, { ...start, requested: reservation }, { error: null }, author);
}

/** A client changes who may mount the volume. Possible in every state but deleting. */
export function reexported(volume: Volume, rules: readonly ExportRule[], author: Author): Volume {
  return change(volume, { exports: [...rules] }, {}, author);
}

/** The engine grants what was asked for; the agent carries it out. */
export function granted(volume: Volume, author: Author): Volume {
  return change(volume, { state: 'resizing' }, { error: null }, author);
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
    volume.actual === null ? { state: 'scheduling', node } : { state: 'pending' };
  return change(volume, fields, {}, author);
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
      updated: new Date(author.nowMs).toISOString(),
      writer: author.writer,
    },
  };
  const reason = illegality(volume, next);
  if (reason !== undefined) throw new RigError('conflict', `volume ${volume.id}: ${reason}`);
  return next;
}
