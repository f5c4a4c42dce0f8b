// Whether concurrent operations on one object can be put into an order that a
// sequential model accepts, and that keeps to real time: what had ended before
// something else began comes before it (Herlihy and Wing, "Linearizability",
// 1990). The search is Wing and Gong's, and remembers where it has been, as
// Lowe's and Porcupine do.

/** A sequential object. Not deterministic: an operation may lead to any of several states. */
export interface Model<State, Op> {
  readonly initial: State;
  /** Every state that the operation can leave behind; none if it can't have happened in this one, or not with this answer. */
  step(state: State, op: Op): readonly State[];
  /** The same text for equal states, and only for them. */
  key(state: State): string;
  /** The same text only for operations that do the same in every state. */
  opKey(op: Op): string;
}

/** Times are of any one clock on which no invocation and no completion coincide. */
export interface Timed<Op> {
  readonly op: Op;
  readonly invokedAt: number;
  /** Infinity: nobody knows when it happened, or whether it did. It may then be left out. */
  readonly completedAt: number;
}

export type Search<State, Op> =
  | { readonly kind: 'linearizable'; readonly order: readonly Timed<Op>[]; readonly explored: number }
  | {
      readonly kind: 'not';
      readonly explored: number;
      /** The states of the attempts that came furthest: nothing of what was left fitted any of them. */
      readonly stuck: readonly State[];
    }
  /** More configurations than the budget. */
  | { readonly kind: 'unknown'; readonly explored: number };

/** What has been put in order so far. Required operations go by their index in order of invocation. */
interface Configuration<State> {
  readonly state: State;
  /** Every required operation before this one is in. */
  readonly first: number;
  /** Required ones after it that are in, too; ascending. */
  readonly beyond: readonly number[];
  /** Optional ones that are in; ascending. */
  readonly extra: readonly number[];
}

interface Frame<State, Op> {
  readonly configuration: Configuration<State>;
  readonly next: Iterator<{ readonly timed: Timed<Op>; readonly configuration: Configuration<State> }>;
  readonly timed: Timed<Op> | undefined;
}

/** Configurations, not time, so that a verdict doesn't depend on the machine. */
export const DEFAULT_BUDGET = 100_000;

const MOST_STUCK = 4;

/** `budget`: how many configurations to look at before giving up. Default: 100,000. */
export function search<State, Op>(
  history: readonly Timed<Op>[],
  model: Model<State, Op>,
  budget: number = DEFAULT_BUDGET,
): Search<State, Op> {
  const byInvocation = history.toSorted((a, b) => a.invokedAt - b.invokedAt);
  const required = byInvocation.filter((timed) => !isOptional(timed));
  const optional = byInvocation.filter(isOptional);
  const seen = new Set<string>();
  let furthest = -1;
  let stuck = new Map<string, State>();

  const enter = (
    configuration: Configuration<State>,
    timed: Timed<Op> | undefined,
  ): Frame<State, Op> | undefined => {
    const { first, beyond, extra, state } = configuration;
    const stateKey = model.key(state);
    const key = `${first} ${beyond} ${extra} ${stateKey}`;
    if (seen.has(key)) return undefined;
    seen.add(key);
    const done = first + beyond.length;
    if (done > furthest) {
      furthest = done;
      stuck = new Map();
    }
    if (done === furthest && stuck.size < MOST_STUCK) stuck.set(stateKey, state);
    return { configuration, timed, next: successors(configuration, { required, optional, model }) };
  };

  const initial: Configuration<State> = { state: model.initial, first: 0, beyond: [], extra: [] };
  const path: Frame<State, Op>[] = [];
  const begin = enter(initial, undefined);
  if (begin !== undefined) path.push(begin);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    if (top.configuration.first === required.length) {
      const order = path.flatMap(({ timed }) => timed ?? []);
      return { kind: 'linearizable', order, explored: seen.size };
    }
    if (seen.size > budget) return { kind: 'unknown', explored: seen.size };
    const next = top.next.next();
    if (next.done === true) {
      path.pop();
      continue;
    }
    const entered = enter(next.value.configuration, next.value.timed);
    if (entered !== undefined) path.push(entered);
  }
  return { kind: 'not', explored: seen.size, stuck: [...stuck.values()] };
}

/** Everything that can come next. What need not have happened comes last: mostly it has not. */
function* successors<State, Op>(
  configuration: Configuration<State>,
  of: {
    readonly required: readonly Timed<Op>[];
    readonly optional: readonly Timed<Op>[];
    readonly model: Model<State, Op>;
  },
): Generator<{ readonly timed: Timed<Op>; readonly configuration: Configuration<State> }> {
  const { required, optional, model } = of;
  const { state, first, beyond, extra } = configuration;
  const isIn = new Set(beyond);
  const open: number[] = [];
  // Whatever began after this has to wait for something that had ended by then.
  let untilAt = Number.POSITIVE_INFINITY;
  for (let index = first; index < required.length; index += 1) {
    const timed = required[index];
    if (timed === undefined || timed.invokedAt > untilAt) break;
    if (isIn.has(index)) continue;
    open.push(index);
    untilAt = Math.min(untilAt, timed.completedAt);
  }
  for (const index of open) {
    const timed = required[index];
    if (timed === undefined || timed.invokedAt > untilAt) continue;
    const place = index === first ? advanced(first, isIn) : { first, beyond: inserted(beyond, index) };
    for (const after of model.step(state, timed.op)) {
      yield { timed, configuration: { state: after, extra, ...place } };
    }
  }
  const isUsed = new Set(extra);
  const tried = new Set<string>();
  const here = model.key(state);
  for (const [index, timed] of optional.entries()) {
    if (timed.invokedAt > untilAt) break;
    // Of those that do the same the first is as good as any: its time holds theirs.
    const opKey = model.opKey(timed.op);
    if (isUsed.has(index) || tried.has(opKey)) continue;
    tried.add(opKey);
    for (const after of model.step(state, timed.op)) {
      // Left out it would do as much.
      if (model.key(after) === here) continue;
      yield { timed, configuration: { state: after, first, beyond, extra: inserted(extra, index) } };
    }
  }
}

export const isOptional = (timed: Timed<unknown>): boolean => timed.completedAt === Number.POSITIVE_INFINITY;

/** After `first` is in, and with it whatever is in already right behind it. */
function advanced(first: number, beyond: ReadonlySet<number>) {
  let next = first + 1;
  while (beyond.has(next)) next += 1;
  return { first: next, beyond: [...beyond].filter((index) => index > next) };
}

const inserted = (sorted: readonly number[], index: number): readonly number[] =>
  [...sorted, index].sort((a, b) => a - b);
