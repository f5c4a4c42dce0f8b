// Small sequential objects with known histories.

import type { Model, Timed } from '../../../../../src/rig/checks/linearizability/search.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** An operation from one time to another; without an end nobody knows. */
export const span = <Op>(invokedAt: number, completedAt: number | undefined, op: Op): Timed<Op> => ({
  op,
  invokedAt,
  completedAt: completedAt ?? NEVER,
});

export type RegisterOp =
  | { readonly kind: 'write'; readonly value: number }
  | { readonly kind: 'read'; readonly value: number }
  /** `done`: undefined when nobody knows. */
  | { readonly kind: 'cas'; readonly from: number; readonly to: number; readonly done?: boolean };

export const write = (value: number): RegisterOp => ({ kind: 'write', value });
export const read = (value: number): RegisterOp => ({ kind: 'read', value });
export const cas = (from: number, to: number, done?: boolean): RegisterOp => ({
  kind: 'cas',
  from,
  to,
  ...(done !== undefined && { done }),
});

export const register: Model<number, RegisterOp> = {
  initial: 0,
  step: (state, op) => {
    if (op.kind === 'write') return [op.value];
    if (op.kind === 'read') return op.value === state ? [state] : [];
    const succeeds = state === op.from;
    if (op.done !== undefined && op.done !== succeeds) return [];
    return [succeeds ? op.to : state];
  },
  key: String,
  opKey: (op) => JSON.stringify(op),
};

export interface QueueOp {
  readonly kind: 'enqueue' | 'dequeue';
  readonly value: string;
}

export const enqueue = (value: string): QueueOp => ({ kind: 'enqueue', value });
export const dequeue = (value: string): QueueOp => ({ kind: 'dequeue', value });

export const queue: Model<readonly string[], QueueOp> = {
  initial: [],
  step: (state, { kind, value }) => {
    if (kind === 'enqueue') return [[...state, value]];
    return state[0] === value ? [state.slice(1)] : [];
  },
  key: (state) => state.join(),
  opKey: (op) => JSON.stringify(op),
};

/** A bag: what comes out is any of what is in. Taking without saying what: not deterministic. */
export const bag: Model<readonly string[], QueueOp | { readonly kind: 'drop' }> = {
  initial: [],
  step: (state, op) => {
    if (op.kind === 'enqueue') return [[...state, op.value].sort()];
    if (op.kind === 'drop') return state.map((_, index) => state.toSpliced(index, 1));
    const index = state.indexOf(op.value);
    return index < 0 ? [] : [state.toSpliced(index, 1)];
  },
  key: (state) => state.join(),
  opKey: (op) => JSON.stringify(op),
};

/** By definition: whether any order of all required operations, and any of the others, is one. At most 7 or so. */
export function hasOrder<State, Op>(history: readonly Timed<Op>[], model: Model<State, Op>): boolean {
  const from = (states: readonly State[], left: readonly Timed<Op>[]): boolean => {
    if (states.length === 0) return false;
    if (left.every(({ completedAt }) => completedAt === NEVER)) return true;
    return left.some(
      (next) =>
        left.every(({ completedAt }) => completedAt > next.invokedAt) &&
        from(
          states.flatMap((state) => model.step(state, next.op)),
          left.filter((other) => other !== next),
        ),
    );
  };
  return from([model.initial], history);
}
