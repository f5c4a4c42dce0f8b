// One volume as the clients of the API see it, as a sequential object.
//
// All that the API answers is read from etcd by linearizable reads, or written
// to it by one transaction (kv/kv.ts). Between two calls engines and agents may
// change whatever isn't the clients' own, so a state says only what must be so
// still: what was asked for last, the revision that the volume has at least, and
// the content that it had when it was last seen.

import { oncePer } from '../../../base/once-per.ts';
import type { Model } from './search.ts';
import { type Answer, FIELDS, type Promised, type View } from './volume-view.ts';

export type Operation =
  /** The answer says that there is no such volume. */
  | { readonly kind: 'absent' }
  /** The answer says that it is there; `living`: and not being deleted. `same`: what it says is so already. */
  | {
      readonly kind: 'there';
      readonly living: boolean;
      readonly same?: Promised;
      /** Revisions, none of which it has. */
      readonly notAt?: readonly number[] | undefined;
      readonly answer: Answer;
    }
  /** Without an `answer` nobody knows whether it happened; so of the others. */
  | { readonly kind: 'create'; readonly order: Promised; readonly answer?: Answer }
  | {
      readonly kind: 'change';
      /** What it asks for; undefined is what nobody knows then. */
      readonly sets: Promised;
      /** Revisions, one of which it must have had before. */
      readonly ifMatch?: readonly number[] | undefined;
      readonly answer?: Answer;
    }
  | { readonly kind: 'remove'; readonly ifMatch?: readonly number[] | undefined; readonly answer?: Answer };

export interface State {
  readonly life: 'unborn' | 'live' | 'deleting' | 'gone';
  /** It was written at this revision, or later. */
  readonly revision: number;
  /** What it held when it was last seen, if nothing was asked of it since. */
  readonly content: number | undefined;
  readonly promised: Promised;
}

const UNBORN: State = { life: 'unborn', revision: 0, content: undefined, promised: {} };
const GONE: State = { ...UNBORN, life: 'gone' };

/** The search asks for the texts of the same again and again. */
const promisedText = oncePer((promised: Promised) => JSON.stringify(FIELDS.map((field) => promised[field])));

export const volumeModel: Model<State, Operation> = {
  initial: UNBORN,
  step,
  key: ({ life, revision, content, promised }) => `${life} ${revision} ${content} ${promisedText(promised)}`,
  opKey: oncePer((op) => JSON.stringify(op)),
};

function step(state: State, op: Operation): readonly State[] {
  const { life } = state;
  switch (op.kind) {
    case 'absent':
      // A deletion, once acknowledged, is ended by the agent. Nothing else makes a volume go away.
      if (life === 'deleting') return [GONE];
      return life === 'live' ? [] : [state];
    case 'there':
      if (life !== 'live' && (life !== 'deleting' || op.living)) return [];
      return isIn(op.same ?? {}, state.promised) ? seen(beyond(state, op.notAt ?? []), op.answer) : [];
    case 'create':
      return life === 'unborn' ? written({ ...state, life: 'live' }, op.order, op.answer) : [];
    case 'change': {
      const before = unlessStale(state, op);
      if (life !== 'live' || before === undefined) return [];
      // Nobody can tell it from what engines and agents do.
      const isVain = op.answer === undefined && isSame({ ...state.promised, ...op.sets }, state.promised);
      return isVain ? [state] : written(before, op.sets, op.answer);
    }
    case 'remove': {
      const before = unlessStale(state, op);
      return life !== 'live' || before === undefined
        ? []
        : written({ ...before, life: 'deleting' }, {}, op.answer);
    }
  }
}

/** The state that the condition leaves possible: a revision that it names may have come since it was last seen. */
function unlessStale(
  state: State,
  { ifMatch, answer }: { readonly ifMatch?: readonly number[] | undefined; readonly answer?: Answer },
): State | undefined {
  if (ifMatch === undefined) return state;
  const before = answer?.revision ?? Number.POSITIVE_INFINITY;
  const fitting = ifMatch.filter((revision) => revision >= state.revision && revision < before);
  if (fitting.length === 0) return undefined;
  return { ...state, revision: Math.min(...fitting) };
}

/** An engine or an agent has written it since, if it is not as it was seen last. */
function beyond(state: State, notAt: readonly number[]): State {
  let { revision } = state;
  while (notAt.includes(revision)) revision += 1;
  return revision === state.revision ? state : { ...state, revision, content: undefined };
}

/** Of the answer by its ETag, or else by what it shows; `torn` when those are not of one revision. */
function revisionIn({ view, revision }: Answer): number | undefined | 'torn' {
  const isTorn = revision !== undefined && view?.revision !== undefined && revision !== view.revision;
  return isTorn ? 'torn' : (revision ?? view?.revision);
}

/** After a write, whose answer shows what was written. */
function written(state: State, sets: Promised, answer: Answer | undefined): readonly State[] {
  const promised = { ...state.promised, ...sets };
  const { view } = answer ?? {};
  const revision = revisionIn(answer ?? {});
  if (revision === 'torn' || (revision !== undefined && revision <= state.revision)) return [];
  if (view !== undefined && !isShown({ ...state, promised }, view)) return [];
  return [
    {
      life: state.life,
      revision: revision ?? state.revision + 1,
      content: view?.content,
      promised: view === undefined ? promised : view.promised,
    },
  ];
}

/** After a read. What it shows anew must have been written since, by an engine or an agent. */
function seen(state: State, answer: Answer): readonly State[] {
  const { view } = answer;
  const revision = revisionIn(answer);
  if (revision === 'torn' || (revision !== undefined && revision < state.revision)) return [];
  if (view !== undefined && !isShown(state, view)) return [];
  const isNew = view !== undefined && state.content !== undefined && view.content !== state.content;
  if (isNew && revision === state.revision) return [];
  const next = revision ?? (isNew ? state.revision + 1 : state.revision);
  const content = view?.content ?? (next === state.revision ? state.content : undefined);
  return [{ life: state.life, revision: next, content, promised: view?.promised ?? state.promised }];
}

const isShown = ({ life, promised }: State, view: View): boolean =>
  view.isDeleting === (life === 'deleting') && isIn(promised, view.promised);

const isSame = (a: Promised, b: Promised): boolean => FIELDS.every((field) => a[field] === b[field]);

/** Whatever is known of both is the same. */
const isIn = (known: Promised, shown: Promised): boolean =>
  FIELDS.every(
    (field) => known[field] === undefined || shown[field] === undefined || known[field] === shown[field],
  );
