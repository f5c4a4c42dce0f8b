// Where etcd had a volume, and for how long.

import { seconds } from './verdict.ts';
import type { VolumeStep } from './volume-history.ts';

/** For how long etcd had a volume on a node. */
export interface Assignment {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** It ended because the volume was given to another node, or taken from this one. */
  readonly reassigned: boolean;
  /** It ended by the handover of a move: the other node has all of it by then. */
  readonly handedOver: boolean;
}

/** A volume's assignments, in order, from its steps. */
export function assignmentsOf(steps: readonly VolumeStep[]): readonly Assignment[] {
  const all: Assignment[] = [];
  for (const { event, before, after } of steps) {
    const last = all.at(-1);
    if (before?.node === after?.node) continue;
    if (last !== undefined && before?.node === last.node)
      all[all.length - 1] = {
        ...last,
        toMs: event.atMs,
        reassigned: after !== undefined,
        handedOver: after?.node != null && before?.state === 'moving',
      };
    if (after?.node == null) continue;
    const never = { toMs: Number.POSITIVE_INFINITY, reassigned: false, handedOver: false };
    all.push({ node: after.node, fromMs: event.atMs, ...never });
  }
  return all;
}

export const describeAssignment = ({ node, fromMs, toMs }: Assignment): string =>
  `${seconds(fromMs)}: etcd gives it to ${node}` +
  (toMs === Number.POSITIVE_INFINITY ? '' : `, until ${seconds(toMs)}`);
