// Where moves of which volumes have failed lately, by this engine's own monotonic clock, as for failures: such a
// node is not tried again at once, or a move that can't end would begin for ever.

import { MOVE_FAILED_PREFIX } from '../../model/changes.ts';
import { isOnItsWay, type Volume } from '../../model/volume.ts';
import { patienceMs } from './failures.ts';
import type { ClusterState } from './state.ts';

/** A failure is forgotten so long after it; the next one counts as the first. */
const MEMORY_MS = 3_600_000;

export interface Setback {
  /** Where the volume was to go. */
  readonly node: string;
  readonly reason: string;
  /** How often that has failed, one time after the other. */
  readonly count: number;
  /** Monotonic clock: when it last failed. */
  readonly seenMs: number;
  /** The move is not called off yet. */
  readonly isOpen: boolean;
}

/** By volume id, the last to fail at the end. */
export type Setbacks = ReadonlyMap<string, readonly Setback[]>;

/** Why the move that the volume is on doesn't get on, as its agent says; undefined if it does. */
export function moveFailure({ control: { error } }: Volume): string | undefined {
  return error?.startsWith(MOVE_FAILED_PREFIX) ? error.slice(MOVE_FAILED_PREFIX.length) : undefined;
}

/** What is known at `nowMs`, given what was known before. */
export function observeSetbacks(
  known: Setbacks,
  { state, nowMs }: { readonly state: ClusterState; readonly nowMs: number },
): Setbacks {
  const observed = new Map<string, readonly Setback[]>();
  for (const volume of state.volumes) {
    const before = known.get(volume.id) ?? [];
    const failing = failingMoveOf(volume);
    const others = before
      .filter(
        ({ node, seenMs }) => node !== failing?.node && node !== volume.node && nowMs - seenMs < MEMORY_MS,
      )
      .map((setback) => ({ ...setback, isOpen: false }));
    const same = before.find(({ node }) => node === failing?.node);
    const last = failing === undefined || same?.isOpen === true ? same : afresh(failing, same, nowMs);
    const all = last === undefined ? others : [...others, last];
    if (all.length > 0) observed.set(volume.id, all);
  }
  return observed;
}

type FailingMove = Pick<Setback, 'node' | 'reason'>;

function failingMoveOf(volume: Volume): FailingMove | undefined {
  const { task } = volume.control;
  const reason = moveFailure(volume);
  if (reason === undefined || !isOnItsWay(volume) || task?.kind !== 'move' || task.node === null) {
    return undefined;
  }
  return { node: task.node, reason };
}

function afresh(failing: FailingMove, before: Setback | undefined, nowMs: number): Setback {
  return { ...failing, count: (before?.count ?? 0) + 1, seenMs: nowMs, isOpen: true };
}

/** What is to be avoided now. */
export interface Avoidance {
  /** Nodes that the volume is not to be sent to yet. */
  nodesFor(volume: Volume): ReadonlySet<string>;
  /** The last move of the volume that failed, to the node if one is given, as long as that is avoided. */
  lastOf(volume: Volume, node?: string): Setback | undefined;
  /**
   * In the order in which they may begin moves: those whose moves have failed after all others, and the last to fail
   * at the end. Else the first few, which get nowhere, would have all the places again as soon as they lose them.
   */
  inTurn(volumes: readonly Volume[]): readonly Volume[];
  /** Monotonic clock: when the next node need not be avoided any more; null: none is. */
  readonly endsAtMs: number | null;
}

const NOWHERE: ReadonlySet<string> = new Set();

export function createAvoidance(setbacks: Setbacks, nowMs: number): Avoidance {
  const endMs = ({ seenMs, count }: Setback): number => seenMs + patienceMs(count);
  const isAvoided = (setback: Setback): boolean => nowMs < endMs(setback);
  const current = new Map(
    [...setbacks].map(([id, all]): [string, readonly Setback[]] => [id, all.filter(isAvoided)]),
  );
  const lastFailedMs = ({ id }: Volume): number =>
    Math.max(0, ...(setbacks.get(id) ?? []).map(({ seenMs }) => seenMs));
  const endsMs = [...current.values()].flatMap((all) => all.map(endMs));
  return {
    nodesFor: ({ id }) => {
      const all = current.get(id) ?? [];
      return all.length === 0 ? NOWHERE : new Set(all.map(({ node }) => node));
    },
    lastOf: ({ id }, name) => current.get(id)?.findLast(({ node }) => name === undefined || node === name),
    inTurn: (volumes) =>
      setbacks.size === 0 ? volumes : [...volumes].sort((a, b) => lastFailedMs(a) - lastFailedMs(b)),
    endsAtMs: endsMs.length === 0 ? null : Math.min(...endsMs),
  };
}
