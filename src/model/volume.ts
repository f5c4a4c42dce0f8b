// The volume as etcd holds it, and the graph of its states. No code outside
// this folder decides whether a transition is legal.

import { z } from 'zod';
import { gibToBytes, SMALLEST_RESERVATION_GIB } from '../base/units.ts';
import { exportRulesSchema } from './export.ts';
import { copyNameSchema, labelsSchema, nodeNameSchema, volumeIdSchema, volumeNameSchema } from './names.ts';
import { keepParts } from './reader.ts';
import { traceIdSchema } from './trace.ts';

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

/** How new data of a volume is compressed (btrfs(5), COMPRESSION). */
export const COMPRESSIONS = ['none', 'lzo', 'zlib', 'zstd:3'] as const;
export const compressionSchema = z.enum(COMPRESSIONS);
export type Compression = z.infer<typeof compressionSchema>;

const bytesSchema = z.int().nonnegative();

/** What the agent has done, as opposed to what was asked for. */
export const actualSchema = reservationSchema.extend({
  exports: exportRulesSchema,
  compression: compressionSchema.default('none'),
  space: z
    .strictObject({ before: bytesSchema, after: bytesSchema })
    .nullable()
    .default(null)
    .meta({ description: 'Bytes in use before and after the last defragmentation or compression.' }),
  pinned: z
    .boolean()
    .default(false)
    .meta({ description: 'A client had it moved here: the balance of the cluster leaves it.' }),
});

export type Actual = z.infer<typeof actualSchema>;

/**
 * Work on a volume that takes its time. The api asks for it in `pending`, the engine grants it by the
 * state that goes with it (`moving`, `rewriting`), the agent that ends it takes the task away.
 */
export const taskSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('move'),
    /** Who wants it: a client, the node's drain, the balance of the cluster, or a request that doesn't fit where it is. */
    cause: z.enum(['asked', 'drain', 'rebalance', 'fit']),
    /** Where to; null while that is for the engine to choose. */
    node: nodeNameSchema.nullable(),
    /** Set with the handover: the copy, on the new node, that the volume is made from. */
    copy: copyNameSchema.nullable(),
  }),
  z.strictObject({
    kind: z.literal('rewrite'),
    /** Null: only defragment, with the compression that it has. */
    compression: compressionSchema.nullable(),
  }),
]);

export type Task = z.infer<typeof taskSchema>;
export type MoveTask = Extract<Task, { kind: 'move' }>;
export type MoveCause = MoveTask['cause'];

export const VOLUME_STATES = [
  'scheduling',
  'ready',
  'pending',
  'resizing',
  'cloning',
  'moving',
  'rewriting',
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
      task: taskSchema.nullable().default(null),
      trace: traceIdSchema.nullable().default(null).meta({
        description:
          'Trace id (W3C Trace Context) of the call that asked for the last change; log lines have it too.',
      }),
      updated: z.iso.datetime(),
      writer: writerSchema,
    }),
  })
  .meta({ description: 'A volume.' });

keepParts(volumeSchema);

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
  // A clone: it waits for the engine, who knows where its parent is.
  { from: 'absent', to: 'pending', by: ['api'] },
  { from: 'scheduling', to: 'ready', by: ['agent'] },
  { from: 'scheduling', to: 'error', by: ['agent'] },
  { from: 'scheduling', to: 'deleting', by: ['api'], ifStuck: true },
  { from: 'ready', to: 'pending', by: ['api'] },
  { from: 'ready', to: 'deleting', by: ['api'] },
  { from: 'ready', to: 'error', by: ['agent'] },
  // A move that no client asked for.
  { from: 'ready', to: 'moving', by: ['engine'] },
  { from: 'pending', to: 'ready', by: ['engine'] },
  { from: 'pending', to: 'resizing', by: ['engine'] },
  { from: 'pending', to: 'cloning', by: ['engine'] },
  { from: 'pending', to: 'moving', by: ['engine'] },
  { from: 'pending', to: 'rewriting', by: ['engine'] },
  { from: 'pending', to: 'deleting', by: ['api'], ifStuck: true },
  { from: 'resizing', to: 'ready', by: ['agent'] },
  { from: 'resizing', to: 'error', by: ['agent'] },
  { from: 'cloning', to: 'ready', by: ['agent'] },
  { from: 'cloning', to: 'error', by: ['agent'] },
  // Taken back from a node that is away, which might never make it.
  { from: 'cloning', to: 'pending', by: ['engine'] },
  { from: 'moving', to: 'ready', by: ['agent'] },
  { from: 'moving', to: 'error', by: ['agent'] },
  // Called off, because the new node has gone. Only before the handover.
  { from: 'moving', to: 'pending', by: ['engine'] },
  { from: 'rewriting', to: 'ready', by: ['agent'] },
  { from: 'rewriting', to: 'error', by: ['agent'] },
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
  if (before.state === 'moving' && !isOnItsWay(before) && after.state === 'pending') {
    return 'a move was called off after the handover';
  }
  // A volume changes its node by the handover of its move, or before it is anywhere, by those who place it.
  const mayBePlaced = before.actual === null && after.control.writer.role !== 'agent';
  if (before.node !== after.node && !mayBePlaced && !isHandover(before, after)) {
    return `the node changed from ${before.node} to ${after.node} while ${before.state}`;
  }
  return undefined;
}

/** What is wanted of a volume that moves, or is to move. */
export function moveTaskOf({ control }: Volume): MoveTask | undefined {
  return control.task?.kind === 'move' ? control.task : undefined;
}

/** It is moving, and its old node still has it: that node exports it, and may hand it over. */
export function isOnItsWay(volume: Volume): boolean {
  const task = moveTaskOf(volume);
  return volume.state === 'moving' && task !== undefined && task.node !== volume.node;
}

/** It is moving, and its new node has it now, but is yet to make it from the copy: nobody serves it. */
export function isHandedOver(volume: Volume): boolean {
  const copy = moveTaskOf(volume)?.copy ?? null;
  return volume.state === 'moving' && copy !== null && !isOnItsWay(volume);
}

/** The old node gives the volume to the one that it is moving to, which has a copy of all of it. */
function isHandover(before: Volume, after: Volume): boolean {
  return (
    isOnItsWay(before) &&
    isHandedOver(after) &&
    after.control.writer.role === 'agent' &&
    moveTaskOf(before)?.node === after.node
  );
}

export interface VolumeReservation {
  readonly node: string;
  /** Whole bytes, as quotas are: sums of GiB in floating point are not exact. */
  readonly bytes: number;
}

/**
 * What the volume takes, and on which nodes: the larger of what it has and what it is being given.
 * On its way from one node to another it takes what it has on the one, and what it was granted on the other.
 */
export function reservationsOf(volume: Volume): readonly VolumeReservation[] {
  const { node, state, actual, requested } = volume;
  const move = moveTaskOf(volume);
  if (node === null) return [];
  const actualBytes = gibToBytes(actual?.reserved_size ?? 0);
  const requestedBytes = gibToBytes(requested.reserved_size);
  if (isOnItsWay(volume) && move?.node != null) {
    return [
      { node, bytes: actualBytes },
      { node: move.node, bytes: Math.max(actualBytes, requestedBytes) },
    ];
  }
  // A pending change isn't granted yet; the engine grants it by moving on from pending. What failed on
  // its way to another node was granted there.
  const hasFailedToMove = state === 'error' && move !== undefined;
  const isGranted = (state !== 'pending' && !hasFailedToMove) || actual === null;
  return [{ node, bytes: Math.max(actualBytes, isGranted ? requestedBytes : 0) }];
}
