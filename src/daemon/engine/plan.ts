// What the engine does about the cluster, as a pure function. The same state
// and time always give the same actions; applied, they lead to a state for
// which there is nothing to do. Each concern has a file of its own.

import type { Volume } from '../../model/volume.ts';
import { type Action, isNews } from './action.ts';
import { cancel, cancelClone } from './cancel.ts';
import { grantClone } from './clone.ts';
import { drain, forgive } from './drain.ts';
import { type Failures, patienceMs } from './failures.ts';
import { grant, isAsRequested } from './grant.ts';
import { createPlanning, type Planning } from './planning.ts';
import { rebalance } from './rebalance.ts';
import { isNowhere, retry, schedule } from './schedule.ts';
import type { Setbacks } from './setbacks.ts';
import type { ClusterState } from './state.ts';

export interface Plan {
  readonly actions: readonly Action[];
  /** Monotonic clock: when the next retry is due, of a volume or a move, if nothing changes before; null for never. */
  readonly wakeAtMs: number | null;
}

/** How long a volume in error waits for its next chance. */
export function retryDelayMs({ control }: Volume): number {
  return patienceMs(control.error_count);
}

export interface PlanOptions {
  /** Monotonic clock of this engine, as are the failures' times: those of other nodes say nothing here. */
  readonly nowMs: number;
  /** A failure that is not among them counts as of now. */
  readonly failures: Failures;
  readonly setbacks: Setbacks;
  /** Moves under way at a time that no client asked for. */
  readonly maxMoves: number;
  /** How far above the average a node's reservations may be, in per cent of its capacity; 100: however far. */
  readonly rebalancePercent: number;
}

/** At most one action a volume; all of them together fit, and so does each of them without the others. */
export function plan(state: ClusterState, options: PlanOptions): Plan {
  // Hundreds of nodes that join a new cluster are as many plans.
  if (state.volumes.length === 0) return { actions: [], wakeAtMs: null };
  const planning = createPlanning(state, options);
  const volumes = planning.avoidance.inTurn(state.volumes);
  const actions = new Map<string, Action>();
  const decide = (volume: Volume, action: Action | undefined): void => {
    if (action !== undefined) actions.set(volume.id, action);
  };
  let wakeAtMs = planning.avoidance.endsAtMs;
  for (const volume of volumes) {
    const retryAtMs = (options.failures.get(volume.id)?.seenMs ?? options.nowMs) + retryDelayMs(volume);
    const isRetryDue = options.nowMs >= retryAtMs;
    decide(volume, actionFor(volume, { planning, isRetryDue }));
    if (volume.state === 'error' && !isRetryDue) wakeAtMs = Math.min(wakeAtMs ?? retryAtMs, retryAtMs);
  }
  for (const volume of volumes) {
    const action = canLeave(volume, actions.get(volume.id)) ? drain(volume, planning) : undefined;
    // What a client waits for is the better reason.
    if (volume.state === 'ready' || action?.kind === 'move') decide(volume, action);
  }
  decideClones(volumes, { planning, decide });
  for (const volume of volumes) {
    if (volume.state === 'ready' && !actions.has(volume.id)) decide(volume, forgive(volume, planning));
  }
  const news = [...actions.values()].filter(isNews);
  const isQuiet = news.every(({ kind }) => kind === 'delay');
  const { rebalancePercent: percent } = options;
  return { actions: isQuiet ? [...news, ...rebalance(volumes, { planning, percent })] : news, wakeAtMs };
}

function actionFor(
  volume: Volume,
  { planning, isRetryDue }: { readonly planning: Planning; readonly isRetryDue: boolean },
): Action | undefined {
  const { room } = planning;
  switch (volume.state) {
    case 'scheduling':
      return schedule(volume, room);
    case 'pending':
      return isStaying(volume) ? grant(volume, planning) : undefined;
    case 'moving':
      return cancel(volume, room);
    case 'cloning':
      return cancelClone(volume, room);
    case 'error':
      return isRetryDue ? retry(volume, room) : undefined;
    case 'deleting':
      return isNowhere(volume, room) ? { kind: 'drop', volume } : undefined;
    default:
      return undefined;
  }
}

/**
 * What is ready, what can't have what it asks for, and what asks for nothing: it has got over an error, and where
 * that came from the disk it is better off elsewhere.
 */
function canLeave(volume: Volume, action: Action | undefined): boolean {
  if (volume.state === 'ready') return true;
  if (!isStaying(volume)) return false;
  return (
    action?.kind === 'delay' ||
    (action?.kind === 'grant' && volume.control.task === null && isAsRequested(volume))
  );
}

/** It is on a node, and waits there; else it is a clone that is still to be made. */
function isStaying({ state, actual }: Volume): boolean {
  return state === 'pending' && actual !== null;
}

/** After all moves are decided, because clones are made where their parents stay. */
function decideClones(
  volumes: readonly Volume[],
  context: {
    readonly planning: Planning;
    readonly decide: (volume: Volume, action: Action | undefined) => void;
  },
): void {
  const clones = volumes.filter((volume) => volume.state === 'pending' && !isStaying(volume));
  if (clones.length === 0) return;
  const byId = new Map(volumes.map((volume) => [volume.id, volume]));
  for (const volume of clones) {
    context.decide(volume, grantClone(volume, byId.get(volume.control.parent_id ?? ''), context.planning));
  }
}
