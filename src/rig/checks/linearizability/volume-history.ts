// The recorded run as one history for each volume.
//
// Time is the place in the record, which one process writes: an invocation
// before the call is made, a completion after its answer has come. The final
// state of etcd counts as a look at every volume: it is read when no client is
// at work any more.

import { nameIn, VOLUMES_PREFIX } from '../../../kv/keys.ts';
import type { FinalStateEvent, RecordedRun } from '../../history.ts';
import { type Call, calls } from '../calls.ts';
import { volumeSteps } from '../volume-history.ts';
import type { Model, Timed } from './search.ts';
import { type HttpCall, type OnVolume, operationsOf, type Unanswered } from './volume-calls.ts';
import { type Operation, type State, volumeModel } from './volume-model.ts';
import { createViews, type Promised, textOf, type View, type Views } from './volume-view.ts';

/** `call`: undefined for the look at etcd in the end. */
export interface CalledOperation {
  readonly op: Operation;
  readonly call?: HttpCall;
}

export const calledModel: Model<State, CalledOperation> = {
  ...volumeModel,
  step: (state, { op }) => volumeModel.step(state, op),
  opKey: ({ op }) => volumeModel.opKey(op),
};

export type VolumeHistory = readonly Timed<CalledOperation>[];

interface Order extends Timed<CalledOperation> {
  readonly order: Promised;
}

/** By volume; every one that any client named or was told of. */
export function volumeHistories(run: RecordedRun): ReadonlyMap<string, VolumeHistory> {
  const views = createViews();
  const all = new Map<string, Timed<CalledOperation>[]>();
  const orders: Order[] = [];
  const add = (id: string, timed: Timed<CalledOperation>): void => {
    const history = all.get(id);
    if (history === undefined) all.set(id, [timed]);
    else history.push(timed);
  };
  const places = placesOf(run);
  for (const call of calls(run).filter(isHttp)) {
    const place = places.get(call.call);
    if (place === undefined) continue;
    const found = operationsOf(call, { views, ids: () => all.keys() });
    if (isUnanswered(found)) {
      const op = { kind: 'create', order: found.order } as const;
      orders.push({ op: { op, call }, order: found.order, ...place, completedAt: Number.POSITIVE_INFINITY });
      continue;
    }
    for (const { id, op } of found) add(id, { op: { op, call }, ...timeOf(op, place) });
  }
  const at = run.history.findLastIndex((event) => event.type === 'final-state');
  const state = run.history[at];
  if (state?.type === 'final-state') {
    const looks = lookedAt(state, { views, ids: [...all.keys()] });
    for (const { id, op } of looks) add(id, { op: { op }, invokedAt: at - 0.25, completedAt: at + 0.25 });
  }
  for (const { id, order } of births(all, orders)) add(id, order);
  // What etcd held at one revision alone, it may have held at one that is missing.
  if (run.etcdComplete) views.date(volumeSteps(run));
  return all;
}

interface Place {
  readonly invokedAt: number;
  readonly completedAt: number;
}

/** Where the ends of each call are in the record. */
function placesOf(run: RecordedRun): ReadonlyMap<number, Place> {
  const places = new Map<number, Place>();
  for (const [index, event] of run.history.entries()) {
    if (event.type !== 'call') continue;
    const invokedAt = places.get(event.call)?.invokedAt;
    if (event.phase === 'invoke') {
      places.set(event.call, { invokedAt: index, completedAt: Number.POSITIVE_INFINITY });
    } else if (invokedAt !== undefined) {
      places.set(event.call, { invokedAt, completedAt: index });
    }
  }
  return places;
}

/** What nobody knows the end of may happen at any time, however soon its caller gave up. */
const timeOf = (op: Operation, place: Place): Place => {
  const isUnknown = op.kind !== 'absent' && op.answer === undefined;
  return isUnknown ? { ...place, completedAt: Number.POSITIVE_INFINITY } : place;
};

function lookedAt(
  state: FinalStateEvent,
  { views, ids }: { readonly views: Views; readonly ids: readonly string[] },
): readonly OnVolume[] {
  const found = new Map<string, View | undefined>();
  for (const [key, value] of Object.entries(state.keys)) {
    if (key.startsWith(VOLUMES_PREFIX)) found.set(nameIn(VOLUMES_PREFIX, key), views.of(parsed(value)));
  }
  return [...new Set([...ids, ...found.keys()])].map((id) => ({
    id,
    op: found.has(id)
      ? { kind: 'there', living: false, answer: { view: found.get(id) } }
      : { kind: 'absent' },
  }));
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/**
 * A volume that turned up though no answer to an order named it may be of any order without an answer that
 * looks like it. There can't be more of those volumes than orders: what is too many has no birth.
 */
function births(
  all: ReadonlyMap<string, VolumeHistory>,
  orders: readonly Order[],
): readonly { readonly id: string; readonly order: Order }[] {
  const free = Map.groupBy(orders, ({ order }) => looks(order));
  const unborn = [...all].flatMap(([id, history]) => {
    if (history.some(({ op: { op } }) => op.kind === 'create')) return [];
    const view = history.map(({ op: { op } }) => viewIn(op)).find((each) => each !== undefined);
    return view === undefined ? [] : [{ id, looks: looks(view.promised) }];
  });
  return [...Map.groupBy(unborn, (each) => each.looks)].flatMap(([what, volumes]) => {
    const fitting = free.get(what) ?? [];
    return volumes.slice(0, fitting.length).flatMap(({ id }) => fitting.map((order) => ({ id, order })));
  });
}

/** What of a volume never changes. */
const looks = ({ name, parent, meta }: Promised): string => textOf([name, parent, meta]);

const viewIn = (op: Operation): View | undefined => (op.kind === 'absent' ? undefined : op.answer?.view);

const isHttp = (call: Call): call is HttpCall => call.operation.kind === 'http';

const isUnanswered = (found: readonly OnVolume[] | Unanswered): found is Unanswered => 'order' in found;
