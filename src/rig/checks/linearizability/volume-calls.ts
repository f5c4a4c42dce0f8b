// The clients' calls as operations on single volumes. A call may be one on
// several: a list shows many, the order of a clone says something of its parent.
// What holds for each volume by itself is a part of what holds for all together
// (Herlihy and Wing's locality), so a call that spans several asks a little less
// than it could.

import type { CallEvent, Operation as CalledOperation } from '../../history.ts';
import type { Call } from '../calls.ts';
import type { Operation } from './volume-model.ts';
import {
  type Answer,
  exportsText,
  type Promised,
  reserved,
  revisionOf,
  textOf,
  type Views,
} from './volume-view.ts';

export type HttpCall = Call<Extract<CalledOperation, { readonly kind: 'http' }>>;

export interface OnVolume {
  readonly id: string;
  readonly op: Operation;
}

/** An order whose volume nobody was told of: it may be any that looks like it, or none. */
export interface Unanswered {
  readonly order: Promised;
}

/** What the call did or found; undefined when its answer says nothing, or it isn't about volumes. */
export function operationsOf(
  call: HttpCall,
  { views, ids }: { readonly views: Views; readonly ids: () => Iterable<string> },
): readonly OnVolume[] | Unanswered {
  const { method, path, body } = call.operation;
  const [collection, id, part] = path.split('?')[0]?.split('/').slice(1) ?? [];
  if (collection !== 'volumes') return [];
  if (id === undefined) return method === 'GET' ? listed(call, views, ids) : ordered(call, views);
  const op = method === 'GET' ? read(call, views) : changed(call, { views, part, body: fieldsOf(body) });
  return op === undefined ? [] : [{ id, op }];
}

function read({ completion }: HttpCall, views: Views): Operation | undefined {
  if (completion?.status === 404) return { kind: 'absent' };
  if (completion?.status !== 200 && completion?.status !== 304) return undefined;
  return { kind: 'there', living: false, answer: answerOf(completion, views) };
}

/** A page is as of one revision. One that isn't filtered shows besides what is not there. */
function listed(
  { operation, completion }: HttpCall,
  views: Views,
  ids: () => Iterable<string>,
): readonly OnVolume[] {
  if (completion?.status !== 200) return [];
  const { volumes, next } = fieldsOf(completion.body);
  if (!Array.isArray(volumes)) return [];
  const found = new Set<string>();
  const all: OnVolume[] = [];
  for (const body of volumes) {
    const view = views.of(body);
    if (view === undefined) return [];
    found.add(view.id);
    all.push({ id: view.id, op: { kind: 'there', living: false, answer: { view } } });
  }
  const query = new URLSearchParams(operation.path.split('?')[1] ?? '');
  if ([...query.keys()].some((key) => key !== 'limit' && key !== 'after')) return all;
  const after = query.get('after') ?? '';
  for (const id of ids()) {
    const isOnPage = id > after && (typeof next !== 'string' || id <= next);
    if (isOnPage && !found.has(id)) all.push({ id, op: { kind: 'absent' } });
  }
  return all;
}

function ordered({ operation, completion }: HttpCall, views: Views): readonly OnVolume[] | Unanswered {
  const body = fieldsOf(operation.body);
  const parent = typeof body.id === 'string' ? body.id : undefined;
  const order = orderOf(body, parent);
  const onParent = (op: Operation): readonly OnVolume[] => (parent === undefined ? [] : [{ id: parent, op }]);
  if (completion?.phase === 'ok') {
    const answer = answerOf(completion, views);
    if (answer.view === undefined) return { order };
    const made: OnVolume = { id: answer.view.id, op: { kind: 'create', order, answer } };
    return [made, ...onParent({ kind: 'there', living: true, answer: {} })];
  }
  if (completion?.status === 404) return onParent({ kind: 'absent' });
  if (completion?.status === 409) return onParent({ kind: 'there', living: false, answer: {} });
  return completion?.phase === 'fail' ? [] : { order };
}

function orderOf(body: Fields, parent: string | undefined): Promised {
  const { reserved_size, constraints } = fieldsOf(body.requested) as Reservation;
  // A clone has its parent's size and constraints where none are named.
  const plain = parent === undefined ? {} : undefined;
  return {
    name: body.name as string,
    parent: parent ?? '',
    meta: textOf(body.meta ?? {}),
    exports: exportsText((body.exports ?? []) as Rules),
    ...reserved({ reserved_size, constraints: constraints ?? plain }),
  };
}

/** Of a change, of work that is asked for, and of a deletion. */
function changed(
  { operation, completion }: HttpCall,
  { views, part, body }: { readonly views: Views; readonly part: string | undefined; readonly body: Fields },
): Operation | undefined {
  const { status, phase } = completion ?? {};
  if (status === 404) return { kind: 'absent' };
  if (status === 409) return { kind: 'there', living: false, answer: {} };
  if (status === 412) return { kind: 'there', living: false, notAt: tagsOf(operation.ifMatch), answer: {} };
  const sets = asked(part, body);
  const answer = completion === undefined ? {} : answerOf(completion, views);
  if (status === 304) return { kind: 'there', living: true, same: sets, answer };
  if (phase === 'fail') return undefined;
  const known = { ifMatch: tagsOf(operation.ifMatch), ...(phase === 'ok' && { answer }) };
  if (operation.method === 'DELETE') return { kind: 'remove', ...known };
  return { kind: 'change', sets, ...known };
}

function asked(part: string | undefined, body: Fields): Promised {
  if (part === 'exports') return { exports: exportsText((body.exports ?? []) as Rules) };
  if (part === undefined) return reserved(fieldsOf(body.requested) as Reservation);
  // It takes the place of a request that could not be granted: that is then what the disk has.
  return part === 'move' ? {} : { size: undefined, constraints: undefined };
}

/** Undefined: on no condition, or on none but that it is there. */
export function tagsOf(ifMatch: string | undefined): readonly number[] | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  return ifMatch.split(',').flatMap((tag) => revisionOf(tag) ?? []);
}

const answerOf = ({ body, etag }: CallEvent, views: Views): Answer => ({
  view: views.of(body),
  revision: revisionOf(etag),
});

type Fields = Readonly<Record<string, unknown>>;
type Rules = Parameters<typeof exportsText>[0];
type Reservation = Parameters<typeof reserved>[0];

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
