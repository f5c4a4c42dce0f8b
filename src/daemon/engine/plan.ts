// What the engine does about the cluster, as a pure function. The same state
// and time always give the same actions; applied, they lead to a state for
// which there is nothing to do.

import { bytesToGib, gibToBytes } from '../../base/units.ts';
import { satisfies } from '../../model/names.ts';
import type { Volume } from '../../model/volume.ts';
import type { Failures } from './failures.ts';
import { createRoom, type NodeRoom, type Room } from './room.ts';
import type { ClusterState } from './state.ts';

export type Action =
  /** Gives the volume a node, in place of a dead one if it had one. */
  | { readonly kind: 'assign'; readonly volume: Volume; readonly node: string }
  /** Takes the dead node away: there is no other yet. */
  | { readonly kind: 'unassign'; readonly volume: Volume; readonly reason: string }
  /** Lets the volume's agent make it what was asked for. */
  | { readonly kind: 'grant'; readonly volume: Volume }
  /** Says why nothing happens; only when the reason has changed. */
  | { readonly kind: 'delay'; readonly volume: Volume; readonly reason: string }
  /** Another go for a volume in error; `node` is where, or null while there is none. */
  | { readonly kind: 'retry'; readonly volume: Volume; readonly node: string | null }
  /** Deletes the key of a volume that is on no disk, or only on one that is away: its agent will find it orphaned. */
  | { readonly kind: 'drop'; readonly volume: Volume };

export interface Plan {
  readonly actions: readonly Action[];
  /** Monotonic clock: when the next retry is due, if nothing changes before; null for never. */
  readonly wakeAtMs: number | null;
}

const RETRY_BASE_MS = 1000;
const RETRY_CAP_MS = 60_000;

/** How long a volume in error waits for its next chance: 1 s after the first failure, doubling, at most 60 s. */
export function retryDelayMs({ control }: Volume): number {
  const doublings = Math.min(30, Math.max(0, control.error_count - 1));
  return Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** doublings);
}

export interface PlanTimes {
  /** Monotonic clock of this engine, as are the failures' times: those of other nodes say nothing here. */
  readonly nowMs: number;
  /** A failure that is not among them counts as of now. */
  readonly failures: Failures;
}

/** At most one action a volume; all of them together fit. */
export function plan(state: ClusterState, { nowMs, failures }: PlanTimes): Plan {
  const room = createRoom(state);
  const actions: Action[] = [];
  let wakeAtMs: number | null = null;
  for (const volume of state.volumes) {
    const retryAtMs = (failures.get(volume.id)?.seenMs ?? nowMs) + retryDelayMs(volume);
    const action = actionFor(volume, { room, isRetryDue: nowMs >= retryAtMs });
    if (action !== undefined) actions.push(action);
    if (volume.state === 'error' && action === undefined) {
      wakeAtMs = Math.min(wakeAtMs ?? Number.POSITIVE_INFINITY, retryAtMs);
    }
  }
  return { actions, wakeAtMs };
}

function actionFor(
  volume: Volume,
  { room, isRetryDue }: { readonly room: Room; readonly isRetryDue: boolean },
): Action | undefined {
  switch (volume.state) {
    case 'scheduling':
      return schedule(volume, room);
    case 'pending':
      return grant(volume, room);
    case 'error':
      return isRetryDue ? retry(volume, room) : undefined;
    case 'deleting':
      return isNowhere(volume, room) ? { kind: 'drop', volume } : undefined;
    default:
      return undefined;
  }
}

function schedule(volume: Volume, room: Room): Action | undefined {
  // Its agent is alive and will create it.
  if (volume.node !== null && room.node(volume.node) !== undefined) return undefined;
  const eligible = eligibleFor(volume, room);
  const sizeGib = volume.requested.reserved_size;
  const node = place(volume, { room, eligible });
  if (node !== undefined) return { kind: 'assign', volume, node };
  // Without figures that change with every other volume: each change would be a write.
  const reason =
    eligible.length === 0
      ? 'no live node satisfies the constraints'
      : `no live node that satisfies the constraints has ${sizeGib} GiB free`;
  if (volume.node !== null) return { kind: 'unassign', volume, reason };
  return delay(volume, reason);
}

function eligibleFor({ requested }: Volume, room: Room): readonly NodeRoom[] {
  return room.schedulable().filter(({ labels }) => satisfies(labels, requested.constraints));
}

/** Takes room on the best node but the volume's own; undefined when there is none. */
function place(
  volume: Volume,
  { room, eligible }: { readonly room: Room; readonly eligible: readonly NodeRoom[] },
): string | undefined {
  const sizeBytes = gibToBytes(volume.requested.reserved_size);
  const [best] = eligible
    .filter(({ name }) => name !== volume.node)
    .filter(({ freeBytes, availableBytes }) => freeBytes >= sizeBytes && availableBytes >= sizeBytes)
    .sort((a, b) => b.freeBytes - a.freeBytes || (a.name < b.name ? -1 : 1));
  if (best !== undefined) room.take(best.name, sizeBytes);
  return best?.name;
}

/**
 * One that was never created goes to any other node before the one where it failed:
 * a node whose disk is broken stays the emptiest, and would get it again for ever.
 */
function retry(volume: Volume, room: Room): Action {
  if (volume.actual !== null) return { kind: 'retry', volume, node: volume.node };
  const eligible = eligibleFor(volume, room);
  const sameNode = eligible.find(({ name }) => name === volume.node);
  // Its reservation there was never given up.
  const fits =
    sameNode !== undefined &&
    sameNode.freeBytes >= 0 &&
    sameNode.availableBytes >= gibToBytes(volume.requested.reserved_size);
  const node = place(volume, { room, eligible }) ?? (fits ? volume.node : null);
  return { kind: 'retry', volume, node };
}

function isNowhere({ node, actual }: Volume, room: Room): boolean {
  return node === null || (actual === null && room.node(node) === undefined);
}

function grant(volume: Volume, room: Room): Action | undefined {
  const { constraints, reserved_size: sizeGib } = volume.requested;
  const node = volume.node === null ? undefined : room.node(volume.node);
  if (node === undefined) return delay(volume, `node ${volume.node} is away`);
  if (!satisfies(node.labels, constraints)) {
    return delay(
      volume,
      `node ${node.name} does not satisfy the constraints, and moving is not supported yet`,
    );
  }
  const extraBytes = Math.max(0, gibToBytes(sizeGib) - gibToBytes(volume.actual?.reserved_size ?? 0));
  if (extraBytes > 0 && extraBytes > node.freeBytes) {
    return delay(
      volume,
      `node ${node.name} has not ${bytesToGib(extraBytes)} GiB more free, and moving is not supported yet`,
    );
  }
  room.take(node.name, extraBytes);
  return { kind: 'grant', volume };
}

function delay(volume: Volume, reason: string): Action | undefined {
  return volume.control.error === reason ? undefined : { kind: 'delay', volume, reason };
}
