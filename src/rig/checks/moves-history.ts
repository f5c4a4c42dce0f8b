// The moves of volumes, as etcd's events have them: from the grant, by the
// handover, to the end.

import { type MoveCause, moveTaskOf, type Volume } from '../../model/volume.ts';
import type { EtcdEvent, RecordedRun } from '../history.ts';
import { type VolumeStep, volumeSteps } from './volume-history.ts';

export interface Move {
  readonly volume: string;
  readonly cause: MoveCause;
  readonly from: string;
  readonly to: string;
  readonly granted: EtcdEvent;
  /** From then on the volume is on the new node; undefined if it never was. */
  readonly handover: EtcdEvent | undefined;
  /** The copy that the new node makes the volume from. */
  readonly copy: string | undefined;
  /** It is no longer moving: ready there, called off, or deleted. */
  readonly ended: EtcdEvent | undefined;
}

/** Every move, in the order of their grants. */
export function movesOf(run: RecordedRun): readonly Move[] {
  const all: Move[] = [];
  const open = new Map<string, number>();
  for (const step of volumeSteps(run)) {
    const index = open.get(step.id);
    const move = index === undefined ? undefined : all[index];
    if (index === undefined || move === undefined) {
      const begun = beginning(step);
      if (begun !== undefined) open.set(step.id, all.push(begun) - 1);
      continue;
    }
    const next = advanced(move, step);
    all[index] = next;
    if (next.ended !== undefined) open.delete(step.id);
  }
  return all;
}

function beginning({ id, event, before, after }: VolumeStep): Move | undefined {
  const target = targetOf(after);
  if (after === undefined || target === undefined || after.node === null || before?.state === 'moving')
    return;
  const { node: to, cause } = target;
  const nothing = { handover: undefined, copy: undefined, ended: undefined };
  return { volume: id, cause, from: after.node, to, granted: event, ...nothing };
}

function advanced(move: Move, { event, after }: VolumeStep): Move {
  if (after?.state !== 'moving') return { ...move, ended: event };
  const { task } = after.control;
  if (move.handover !== undefined || after.node !== move.to || task?.kind !== 'move') return move;
  return { ...move, handover: event, copy: task.copy ?? undefined };
}

function targetOf(
  volume: Volume | undefined,
): { readonly node: string; readonly cause: MoveCause } | undefined {
  const task = volume?.state === 'moving' ? moveTaskOf(volume) : undefined;
  return task !== undefined && task.node !== null ? { node: task.node, cause: task.cause } : undefined;
}

export const describeMove = ({ volume, cause, from, to, granted, handover }: Move): string =>
  `revision ${granted.revision}: ${volume} is sent from ${from} to ${to} (${cause})` +
  (handover === undefined ? '' : `, and handed over at revision ${handover.revision}`);
