// How far a clock with a fault is ahead, as a function of the true time: the keeper
// in the node and the rig that looks at it from outside come to the same.

import { below, createSeededRandom } from '../../base/random.ts';
import type { ClockCondition } from '../deployment.ts';

/** Where the rig tells a node's clock keeper what to do: JSON, a list of {@link ActiveCondition}. */
export const CONDITIONS_FILE = '/dev/shm/cobalt-clock.json';
/** Where libfaketime reads how far the clock is ahead, in seconds. */
export const OFFSET_FILE = '/dev/shm/cobalt-clock';

export interface ActiveCondition {
  readonly condition: ClockCondition;
  /** True time at which it began, in ms of the epoch. */
  readonly sinceMs: number;
}

const JUMP_EVERY_MS = 500;

/** The sum over all; negative when the clock is behind. */
export function offsetMs(active: readonly ActiveCondition[], nowMs: number): number {
  return active.reduce((sum, { condition, sinceMs }) => sum + offsetOf(condition, nowMs - sinceMs), 0);
}

function offsetOf(condition: ClockCondition, elapsedMs: number): number {
  if (condition.is === 'offset') return condition.offsetMs;
  if (condition.is === 'drifting') return elapsedMs * (condition.rate - 1);
  const { seed, spanMs } = condition;
  const random = createSeededRandom(seed + Math.floor(elapsedMs / JUMP_EVERY_MS));
  return below(random, 2 * spanMs + 1) - spanMs;
}

/** As libfaketime reads it: seconds, with a sign. */
export const offsetText = (aheadMs: number): string =>
  `${aheadMs < 0 ? '-' : '+'}${(Math.abs(aheadMs) / 1000).toFixed(3)}`;
