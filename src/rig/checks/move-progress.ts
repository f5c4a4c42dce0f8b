// Whether a move got on when another one was decided on. One that can't takes
// nothing of anybody: on its way it is about to be called off, and after the
// handover it waits for its node.

import { isOnItsWay, moveTaskOf, type Volume } from '../../model/volume.ts';
import type { RecordedRun } from '../history.ts';
import type { Move } from './moves-history.ts';
import { nodeAt, nodeSteps } from './node-history.ts';
import { countFirst, lastOfFirst } from './sorted.ts';
import { type VolumeStep, volumeSteps } from './volume-history.ts';
import { workClockOf } from './work-clock.ts';

/** An engine decides on what it knows, which may be so old by the work clock. */
const KNOWN_WITHIN_MS = 1_000;

interface Moment {
  readonly revision: number;
  readonly atMs: number;
}

/** Answers whether the move got on at that moment, and for all that an engine knew shortly before. */
export function createProgress(run: RecordedRun): (move: Move, now: Moment) => boolean {
  const steps = Map.groupBy(volumeSteps(run), ({ id }) => id);
  return (move, now) => {
    const own = steps.get(move.volume) ?? [];
    return revisionsKnown(run, own, { move, now }).every((revision) => {
      const volume = lastOfFirst(own, ({ event }) => event.revision <= revision)?.after;
      return volume !== undefined && isFree(run, volume, revision);
    });
  };
}

function revisionsKnown(
  run: RecordedRun,
  own: readonly VolumeStep[],
  { move, now }: { readonly move: Move; readonly now: Moment },
): readonly number[] {
  const ofNodes = [move.from, move.to].map((node) => nodeSteps(run).get(node) ?? []);
  const knownMs = workClockOf(run).before(now.atMs, KNOWN_WITHIN_MS);
  const recent = [own, ...ofNodes].flatMap((steps: readonly Pick<VolumeStep, 'event'>[]) => {
    const isOld = ({ event }: Pick<VolumeStep, 'event'>): boolean =>
      event.atMs < knownMs || event.revision < move.granted.revision;
    return steps.slice(
      countFirst(steps, isOld),
      countFirst(steps, ({ event }) => event.revision < now.revision),
    );
  });
  return [...recent.map(({ event }) => event.revision), now.revision];
}

/** Nothing in etcd keeps the volume from arriving. */
function isFree(run: RecordedRun, volume: Volume, revision: number): boolean {
  const node = (name: string | null) => (name === null ? undefined : nodeAt(run, name, revision));
  const own = node(volume.node);
  if (!isOnItsWay(volume)) return own?.disk.state === 'ok';
  const target = node(moveTaskOf(volume)?.node ?? null);
  if (own === undefined || target === undefined || volume.control.error !== null) return false;
  const canBeLeft = own.disk.state !== 'read-only';
  return canBeLeft && (target.disk.state === 'ok' || target.disk.state === 'full');
}
