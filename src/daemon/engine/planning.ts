// What the parts of a plan share while it is made: the room that is left, the moves that may still
// begin, and who waits for whom between volumes and their clones.

import { isOnItsWay, type MoveCause, moveTaskOf, type Volume } from '../../model/volume.ts';
import { obstacleTo } from './cancel.ts';
import { createRoom, type Room } from './room.ts';
import { type Avoidance, createAvoidance, type Setbacks } from './setbacks.ts';
import type { ClusterState } from './state.ts';

export interface Planning {
  readonly room: Room;
  readonly moves: Moves;
  readonly family: Family;
  readonly avoidance: Avoidance;
}

/** Moves cost disks and network what clients want of them: only so many at a time that no client asked for. */
export interface Moves {
  mayBegin(cause: MoveCause): boolean;
  /** No node is being emptied, and nothing is on its way to where it fits: the balance is what it will be. */
  readonly isOnlyRebalancing: boolean;
  begin(volume: Volume, cause: MoveCause): void;
}

/**
 * A clone is made where its parent is, so that one doesn't leave while the other is being made. Neither
 * waits for what isn't under way or about to be, so that they can't wait for each other.
 */
export interface Family {
  /** A clone of the volume is being made where it is: it can't leave yet. */
  isBeingCloned(volume: Volume): boolean;
  /** It has somewhere to go, and goes when its clones are made: no more of them before that. */
  holdClones(id: string): void;
  /** It is leaving, or would be but for the clones that are being made. */
  isLeaving(id: string): boolean;
}

export function createPlanning(
  state: ClusterState,
  {
    maxMoves,
    setbacks,
    nowMs,
  }: { readonly maxMoves: number; readonly setbacks: Setbacks; readonly nowMs: number },
): Planning {
  const { volumes } = state;
  const leaving = new Set(volumes.filter(({ state }) => state === 'moving').map(({ id }) => id));
  const workshops = new Set(
    volumes
      .filter(({ state }) => state === 'cloning')
      .map(({ node, control }) => `${control.parent_id} on ${node}`),
  );
  const room = createRoom(state);
  const unasked = volumes.filter((volume) => isUnasked(volume) && getsOn(volume, room));
  let underWay = unasked.length;
  return {
    room,
    avoidance: createAvoidance(setbacks, nowMs),
    moves: {
      isOnlyRebalancing: unasked.every((volume) => moveTaskOf(volume)?.cause === 'rebalance'),
      mayBegin: (cause) => {
        if (cause === 'asked') return true;
        // A client waits for a request that fits nowhere else, even where moves are switched off.
        return underWay < (cause === 'fit' ? Math.max(1, maxMoves) : maxMoves);
      },
      begin: ({ id }, cause) => {
        if (cause !== 'asked') underWay += 1;
        leaving.add(id);
      },
    },
    family: {
      isBeingCloned: ({ id, node }) => workshops.has(`${id} on ${node}`),
      holdClones: (id) => leaving.add(id),
      isLeaving: (id) => leaving.has(id),
    },
  };
}

function isUnasked(volume: Volume): boolean {
  const task = moveTaskOf(volume);
  return volume.state === 'moving' && task !== undefined && task.cause !== 'asked';
}

/**
 * A move that doesn't get on takes nothing of anybody, and may never end: on its way it is called off; after the
 * handover it waits for its node.
 */
function getsOn(volume: Volume, room: Room): boolean {
  return isOnItsWay(volume) ? obstacleTo(volume, room) === undefined : room.node(volume.node)?.disk === 'ok';
}
