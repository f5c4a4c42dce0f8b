// The engine's plans and agents that carry them out, in turns, until nobody has anything to do. Time passes only
// when everybody waits for it.

import type { Action } from '../../../../src/daemon/engine/action.ts';
import { type Failures, observeFailures } from '../../../../src/daemon/engine/failures.ts';
import { type PlanOptions, plan } from '../../../../src/daemon/engine/plan.ts';
import { observeSetbacks, type Setbacks } from '../../../../src/daemon/engine/setbacks.ts';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import { volumeKey } from '../../../../src/kv/keys.ts';
import type { KeyValue } from '../../../../src/kv/kv.ts';
import { completed, handedOver, MOVE_FAILED_PREFIX, made, rewritten } from '../../../../src/model/changes.ts';
import { isOnItsWay, type Volume } from '../../../../src/model/volume.ts';
import type { Storm } from './storm.ts';
import { AGENT, applied } from './support.ts';

const COPY = 'fedcba9876543210-1';
/** Rounds in which an agent may be slow; then none is. */
const SLOW_ROUNDS = 10;

/** What the volume's agent makes of it; null: gone. The volume itself if there is nothing to do. */
export function worked(volume: Volume, isLive: (node: string | null) => boolean): Volume | null {
  const { state, control, node } = volume;
  if (!isLive(node)) return volume;
  switch (state) {
    case 'scheduling':
    case 'cloning':
      return volume.actual === null ? made(volume, AGENT) : completed(volume, AGENT);
    case 'resizing':
      return completed(volume, AGENT);
    case 'rewriting':
      return rewritten(volume, { compression: 'none', before: 2, after: 1 }, AGENT);
    case 'moving':
      if (!isOnItsWay(volume)) return completed(volume, AGENT);
      // It won't get on by itself.
      if (control.error?.startsWith(MOVE_FAILED_PREFIX)) return volume;
      return control.task?.kind === 'move' && isLive(control.task.node)
        ? handedOver(volume, COPY, AGENT)
        : volume;
    case 'deleting':
      return null;
    default:
      return volume;
  }
}

export interface Step {
  readonly before: ClusterState;
  readonly actions: readonly Action[];
  readonly after: ClusterState;
}

export interface RunOptions {
  readonly options: PlanOptions;
  /** Which agents are slow. */
  readonly coins: Iterator<boolean>;
  /** What goes wrong before all is well again; default: nothing. */
  readonly storm?: Storm;
}

/** Runs to the fixed point; throws if it isn't reached. */
export function run(
  start: ClusterState,
  { options, coins, storm }: RunOptions,
): { readonly end: ClusterState; readonly steps: readonly Step[] } {
  const stormRounds = storm?.rounds ?? 0;
  const most = stormRounds + SLOW_ROUNDS + 16 * (start.volumes.length + 2);
  const planner = createPlanner(options);
  const steps: Step[] = [];
  let now = start;
  for (let round = 0; round < most; round += 1) {
    const isStormy = storm !== undefined && round < stormRounds;
    const { nodes, specs } = isStormy ? storm.shaken(now) : start;
    now = { ...now, nodes, specs };
    const { actions, wakeAtMs } = planner.plan(now);
    const after = actions.reduce(applied, now);
    steps.push({ before: now, actions, after });
    const isLive = (name: string | null): boolean => nodes.some((node) => node.name === name);
    let worker = false;
    const volumes = after.volumes.flatMap((volume) => {
      const next = worked(volume, isLive);
      if (next === volume) return [volume];
      worker = true;
      if (round < SLOW_ROUNDS && coins.next().value === true) return [volume];
      const outcome = isStormy ? storm.outcome(volume, next) : next;
      return outcome === null ? [] : [outcome];
    });
    if (actions.length === 0 && !worker && !isStormy) {
      if (wakeAtMs === null) return { end: now, steps };
      planner.sleepUntil(wakeAtMs);
    }
    now = { ...after, volumes };
  }
  throw new Error(`still busy after ${most} rounds: ${JSON.stringify(planner.plan(now).actions)}`);
}

/** An engine's memory, beside the plans it makes. */
function createPlanner(options: PlanOptions) {
  let { nowMs, failures, setbacks }: { nowMs: number; failures: Failures; setbacks: Setbacks } = options;
  const revisions = new Map<string, { readonly volume: Volume; readonly revision: number }>();
  const entryOf = (volume: Volume): [string, KeyValue] => {
    const before = revisions.get(volume.id);
    const revision = before?.volume === volume ? before.revision : (before?.revision ?? 0) + 1;
    revisions.set(volume.id, { volume, revision });
    const key = volumeKey(volume.id);
    return [key, { key, value: '', createRevision: 1, modRevision: revision, version: revision, lease: '0' }];
  };
  return {
    plan: (state: ClusterState) => {
      nowMs += 1;
      failures = observeFailures(failures, { state, entries: new Map(state.volumes.map(entryOf)), nowMs });
      setbacks = observeSetbacks(setbacks, { state, nowMs });
      return plan(state, { ...options, nowMs, failures, setbacks });
    },
    sleepUntil: (ms: number): void => {
      nowMs = Math.max(nowMs, ms);
    },
  };
}
