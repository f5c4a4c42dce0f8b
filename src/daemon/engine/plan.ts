// What the engine does about the cluster, as a pure function. The same state
// and time always give the same actions; applied, they lead to a state for
// which there is nothing to do.

import { satisfies } from '../../model/names.ts';
import type { Volume } from '../../model/volume.ts';
import { createRoom, type Room } from './room.ts';
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
  | { readonly kind: 'retry'; readonly volume: Volume }
  /** Deletes the key of a volume that is on no disk. */
  | { readonly kind: 'drop'; readonly volume: Volume };

export interface Plan {
  readonly actions: readonly Action[];
  /** Wall clock: when the next retry is due, if nothing changes before; null for never. */
  readonly wakeAtMs: number | null;
}

const RETRY_BASE_MS = 1000;
const RETRY_CAP_MS = 60_000;

/** When a volume in error gets its next chance: 1 s after the first failure, doubling, at most 60 s. */
export function retryAtMs({ control }: Volume): number {
  const delayMs = Math.min(
    RETRY_CAP_MS,
    RETRY_BASE_MS * 2 ** Math.min(30, Math.max(0, control.error_count - 1)),
  );
  return Date.parse(control.updated) + delayMs;
}

/** `nowMs` is wall-clock time. At most one action a volume; all of them together fit. */
export function plan(state: ClusterState, nowMs: number): Plan {
  const room = createRoom(state);
  const actions: Action[] = [];
  let wakeAtMs: number | null = null;
  for (const volume of state.volumes) {
    const action = actionFor(volume, { room, nowMs });
    if (action !== undefined) actions.push(action);
    if (volume.state === 'error' && action === undefined) {
      wakeAtMs = Math.min(wakeAtMs ?? Number.POSITIVE_INFINITY, retryAtMs(volume));
    }
  }
  return { actions, wakeAtMs };
}

function actionFor(
  volume: Volume,
  { room, nowMs }: { readonly room: Room; readonly nowMs: number },
): Action | undefined {
  switch (volume.state) {
    case 'scheduling':
      return schedule(volume, room);
    case 'pending':
      return grant(volume, room);
    case 'error':
      // A clock that was set back must not keep a volume waiting for years.
      return nowMs >= retryAtMs(volume) || nowMs < Date.parse(volume.control.updated) - RETRY_CAP_MS
        ? { kind: 'retry', volume }
        : undefined;
    case 'deleting':
      return volume.node === null ? { kind: 'drop', volume } : undefined;
    default:
      return undefined;
  }
}

function schedule(volume: Volume, room: Room): Action | undefined {
  // Its agent is alive and will create it.
  if (volume.node !== null && room.node(volume.node) !== undefined) return undefined;
  const { constraints, reserved_size: sizeGib } = volume.requested;
  const eligible = room.schedulable().filter(({ labels }) => satisfies(labels, constraints));
  const [best] = eligible
    .filter(({ freeGib, availableGib }) => freeGib >= sizeGib && availableGib >= sizeGib)
    .sort((a, b) => b.freeGib - a.freeGib || (a.name < b.name ? -1 : 1));
  if (best !== undefined) {
    room.take(best.name, sizeGib);
    return { kind: 'assign', volume, node: best.name };
  }
  // Without figures that change with every other volume: each change would be a write.
  const reason =
    eligible.length === 0
      ? 'no live node satisfies the constraints'
      : `no live node that satisfies the constraints has ${sizeGib} GiB free`;
  if (volume.node !== null) return { kind: 'unassign', volume, reason };
  return delay(volume, reason);
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
  const extraGib = Math.max(0, sizeGib - (volume.actual?.reserved_size ?? 0));
  if (extraGib > 0 && extraGib > node.freeGib) {
    return delay(
      volume,
      `node ${node.name} has not ${extraGib} GiB more free, and moving is not supported yet`,
    );
  }
  room.take(node.name, extraGib);
  return { kind: 'grant', volume };
}

function delay(volume: Volume, reason: string): Action | undefined {
  return volume.control.error === reason ? undefined : { kind: 'delay', volume, reason };
}
