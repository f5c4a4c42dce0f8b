// The volume as etcd holds it, and the graph of its states. No code outside
// this folder decides whether a transition is legal.

import { z } from 'zod';
import { gibToBytes, SMALLEST_RESERVATION_GIB } from '../base/units.ts';
import { exportRulesSchema } from './export.ts';
import { labelsSchema, nodeNameSchema, volumeIdSchema, volumeNameSchema } from './names.ts';

/** A million GiB: far above any disk, far below where doubles lose bytes. */
const LARGEST_RESERVATION_GIB = 2 ** 20;

export const reservationSchema = z
  .strictObject({
    reserved_size: z
      .number()
      .min(SMALLEST_RESERVATION_GIB)
      .max(LARGEST_RESERVATION_GIB)
      .meta({ description: 'GiB; fractions are allowed.' }),
    constraints: labelsSchema.default({}),
  })
  .meta({ description: 'How much space, and on what kind of node.' });

export type Reservation = z.infer<typeof reservationSchema>;

/** What the agent has done, as opposed to what was asked for. */
export const actualSchema = reservationSchema.extend({ exports: exportRulesSchema });

export const VOLUME_STATES = [
  'scheduling',
  'ready',
  'pending',
  'resizing',
  'cloning',
  'moving',
  'deleting',
  'error',
] as const;

export const volumeStateSchema = z.enum(VOLUME_STATES);
export type VolumeState = z.infer<typeof volumeStateSchema>;

export const ROLES = ['api', 'engine', 'agent'] as const;
export const roleSchema = z.enum(ROLES);
export type Role = z.infer<typeof roleSchema>;

/**
 * Who wrote the volume last. An engine also gives its term, the creation
 * revision of the leader key, so that history shows whether it led when it wrote.
 */
export const writerSchema = z.strictObject({
  role: roleSchema,
  node: nodeNameSchema,
  term: z.int().nonnegative().nullable(),
});

export type Writer = z.infer<typeof writerSchema>;

export const metaSchema = z
  .record(z.string().min(1).max(64), z.string().max(1024))
  .refine((meta) => Object.keys(meta).length <= 32, 'must have at most 32 entries')
  .meta({ description: "The user's own notes; Cobalt does not read them." });

export const volumeSchema = z
  .strictObject({
    id: volumeIdSchema,
    name: volumeNameSchema,
    meta: metaSchema,
    state: volumeStateSchema,
    node: nodeNameSchema.nullable().meta({ description: 'Where it is, or is to be created.' }),
    requested: reservationSchema,
    actual: actualSchema.nullable().meta({ description: 'What is on the disk; null until it is created.' }),
    exports: exportRulesSchema,
    control: z.strictObject({
      error: z.string().nullable(),
      error_count: z.int().nonnegative(),
      parent_id: volumeIdSchema.nullable(),
      updated: z.iso.datetime(),
      writer: writerSchema,
    }),
  })
  .meta({ description: 'A volume.' });

export type Volume = z.infer<typeof volumeSchema>;

/** Where a volume's life begins and ends: before its key exists and after it is gone. */
export type LifeState = VolumeState | 'absent';

interface Transition {
  readonly from: LifeState;
  readonly to: LifeState;
  /** Which roles may make it. */
  readonly by: readonly Role[];
  /** Only out of a volume that is stuck. */
  readonly ifStuck?: true;
}

/**
 * Every legal change of state. Staying in a state (to record an error, to
 * change exports, to assign a node while scheduling) is always legal.
 */
export const TRANSITIONS: readonly Transition[] = [
  { from: 'absent', to: 'scheduling', by: ['api'] },
  { from: 'scheduling', to: 'ready', by: ['agent'] },
  { from: 'scheduling', to: 'error', by: ['agent'] },
  { from: 'scheduling', to: 'deleting', by: ['api'], ifStuck: true },
  { from: 'ready', to: 'pending', by: ['api'] },
  { from: 'ready', to: 'deleting', by: ['api'] },
  { from: 'ready', to: 'error', by: ['agent'] },
  { from: 'pending', to: 'ready', by: ['engine'] },
  { from: 'pending', to: 'resizing', by: ['engine'] },
  { from: 'pending', to: 'cloning', by: ['engine'] },
  { from: 'pending', to: 'moving', by: ['engine'] },
  { from: 'pending', to: 'deleting', by: ['api'], ifStuck: true },
  { from: 'resizing', to: 'ready', by: ['agent'] },
  { from: 'resizing', to: 'error', by: ['agent'] },
  { from: 'cloning', to: 'ready', by: ['agent'] },
  { from: 'cloning', to: 'error', by: ['agent'] },
  { from: 'moving', to: 'ready', by: ['agent'] },
  { from: 'moving', to: 'error', by: ['agent'] },
  { from: 'deleting', to: 'absent', by: ['agent', 'engine'] },
  { from: 'deleting', to: 'error', by: ['agent'] },
  { from: 'error', to: 'scheduling', by: ['engine', 'api'] },
  { from: 'error', to: 'pending', by: ['engine', 'api'] },
  { from: 'error', to: 'deleting', by: ['api'] },
];

const CAN_BE_STUCK: readonly VolumeState[] = ['scheduling', 'pending', 'error'];

/** It can't go on, for a reason that its owner may take away: by asking for less, or by deleting it. */
export function isStuck({ state, control }: Volume): boolean {
  return control.error !== null && CAN_BE_STUCK.includes(state);
}

/** Nothing is on its way that a client's change or deletion would have to wait for. */
export function isIdle(volume: Volume): boolean {
  return volume.state === 'ready' || isStuck(volume);
}

/** The legality of one step of a volume's life. Answers with the reason why not, or undefined if it is legal. */
export function illegality(before: Volume | undefined, after: Volume | undefined): string | undefined {
  const from: LifeState = before?.state ?? 'absent';
  const to: LifeState = after?.state ?? 'absent';
  if (from !== to) {
    const transition = TRANSITIONS.find((candidate) => candidate.from === from && candidate.to === to);
    if (transition === undefined) return `${from} -> ${to} is not a legal transition`;
    if (transition.ifStuck === true && before !== undefined && !isStuck(before)) {
      return `${from} -> ${to} is legal only for a volume that is stuck`;
    }
    const writer = after?.control.writer.role;
    if (writer !== undefined && !transition.by.includes(writer)) {
      return `${from} -> ${to} was written by the ${writer}, which may not`;
    }
  }
  if (before === undefined || after === undefined) return undefined;
  if (before.id !== after.id) return `the id changed from ${before.id} to ${after.id}`;
  // A volume changes its node only before it is anywhere, or while it is on its way.
  if (before.node !== after.node && before.actual !== null && before.state !== 'moving') {
    return `the node changed from ${before.node} to ${after.node} while ${before.state}`;
  }
  return undefined;
}

/** GiB that a volume takes on its node: the larger of what it has and what it is being given. */
export function reservedGib(volume: Volume): number {
  const actual = volume.actual?.reserved_size ?? 0;
  // A pending change isn't granted yet; the engine grants it by moving on from pending.
  const granted = volume.state === 'pending' && volume.actual !== null ? 0 : volume.requested.reserved_size;
  return Math.max(actual, granted);
}

/** The same in whole bytes, as its quota is: sums of GiB in floating point are not exact. */
export function reservedBytes(volume: Volume): number {
  return gibToBytes(reservedGib(volume));
}
