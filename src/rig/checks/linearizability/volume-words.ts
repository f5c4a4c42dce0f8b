// A violation for people: the call that fits nowhere, what had to come before it
// or beside it, and what the volume could have been.

import { seconds } from '../verdict.ts';
import type { Culprit } from './culprit.ts';
import { isOptional, type Timed } from './search.ts';
import type { CalledOperation } from './volume-history.ts';
import type { Operation, State } from './volume-model.ts';
import { FIELDS, type Promised } from './volume-view.ts';

/** As many of the latest as leave room for the rest of a counter-example. */
const MOST_OTHERS = 4;
const MOST_STATES = 3;

export function describeCulprit(culprit: Culprit<State, CalledOperation>): readonly string[] {
  const { last, others, states } = culprit;
  return [
    describe(last),
    ...others.slice(-MOST_OTHERS).map((timed) => `  against ${describe(timed)}`),
    ...states.slice(0, MOST_STATES).map((state) => `  it could only have been ${describeState(state)}`),
  ];
}

function describe(timed: Timed<CalledOperation>): string {
  const { op, call } = timed.op;
  if (call === undefined) return `etcd in the end: ${answered(op)}`;
  const { method, path, node } = call.operation;
  const ended = call.completion === undefined || isOptional(timed) ? '…' : seconds(call.completion.atMs);
  const status = call.completion?.status ?? 'no answer';
  return (
    `${seconds(call.invokedMs)} to ${ended}: ${method} ${path} at ${node} by ${call.process} ` +
    `(call ${call.call}): ${status}, ${answered(op)}`
  );
}

function answered(op: Operation): string {
  if (op.kind === 'absent') return 'there is none';
  const { view, revision = view?.revision } = op.answer ?? {};
  const at = revision === undefined ? '' : ` at revision ${revision}`;
  const shown = view === undefined ? '' : `: ${promisedText(view.promised)}`;
  if (op.kind === 'there') {
    const deleting = view?.isDeleting === true ? ', being deleted' : '';
    return `it is there${op.living ? ' and not being deleted' : ''}${deleting}${at}${shown}`;
  }
  const asked = op.kind === 'create' ? op.order : op.kind === 'change' ? op.sets : {};
  const wanted = promisedText(asked);
  const verb = { create: 'ordered', change: 'changed', remove: 'condemned' }[op.kind];
  const met = op.answer === undefined ? 'perhaps ' : '';
  return `${met}${verb}${at}${wanted === '' ? shown : `: ${wanted}`}`;
}

function describeState({ life, revision, promised }: State): string {
  if (life === 'unborn') return 'not there yet';
  if (life === 'gone') return 'gone';
  const what = life === 'deleting' ? 'being deleted' : 'there';
  return `${what}, at revision ${revision} or later: ${promisedText(promised)}`;
}

/** What is empty goes without saying, but for the exports: nobody gets in then. */
function promisedText(promised: Promised): string {
  return FIELDS.flatMap((field) => {
    const value = promised[field];
    if (value === undefined) return [];
    if (field === 'exports') return [`exports ${value === '' ? 'to nobody' : value}`];
    if (value === '' || value === '{}') return [];
    return field === 'size' ? [`${value} GiB`] : [`${field} ${value}`];
  }).join(', ');
}
