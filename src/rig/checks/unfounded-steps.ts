// What a step of a volume's life says has been done, and can't have been: the graph of states allows it, the contract
// does not. None of the daemon's code for it is used here.

import { isHandedOver, type Reservation, type Volume } from '../../model/volume.ts';
import type { VolumeStep } from './volume-history.ts';

/** Why the step should not have been made; undefined if it may have been. */
export function unfounded({ before, after }: Pick<VolumeStep, 'before' | 'after'>): string | undefined {
  if (after === undefined) return undefined;
  if (before === undefined) {
    return after.node === null && after.actual === null
      ? undefined
      : 'it was on a node before it was ordered';
  }
  const { role, node } = after.control.writer;
  if (role === 'agent' && node !== before.node)
    return `it was written by the agent of ${node}, and was ${before.node === null ? 'on no node' : `on ${before.node}`}`;
  if (after.state !== 'ready') return undefined;
  if (before.state === 'moving' && !isHandedOver(before)) return 'its move ended without a handover';
  if (before.state === 'pending' && before.control.task?.kind === 'rewrite') return 'its rewrite never began';
  return hasAsRequested(after)
    ? undefined
    : `it is ready with ${had(after)}, requested were ${text(after.requested)}`;
}

const hasAsRequested = ({ actual, requested }: Volume): boolean =>
  actual !== null && text(actual) === text(requested);

const had = ({ actual }: Volume): string => (actual === null ? 'nothing on any disk' : text(actual));

/** For people, and the same for those that are equal. */
function text({ reserved_size, constraints }: Pick<Reservation, 'reserved_size' | 'constraints'>): string {
  const labels = Object.entries(constraints).map(([name, value]) => `${name}=${value}`);
  return [`${reserved_size} GiB`, ...labels.sort()].join(', ');
}
