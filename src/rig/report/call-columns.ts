// The clients' calls as columns.

import type { Call } from '../checks/calls.ts';
import { type CallEvent, callerOf, type Operation } from '../history.ts';
import { choose } from './choose.ts';
import { type CallColumns, OUTCOMES } from './page-data.ts';
import { rounded, type Strings } from './strings.ts';

/** More points than this nobody tells apart, and those of calls that went wrong come first. */
const MOST_CALLS = 30_000;

/** What went wrong matters more than a refusal, and that more than what went well. */
const RANKS: Readonly<Record<Outcome, number>> = { ok: 0, refused: 1, fail: 2, info: 2, open: 2 };

export type Outcome = (typeof OUTCOMES)[number];

export function outcomeOf({ completion }: Call): Outcome {
  if (completion === undefined || completion.phase === 'invoke') return 'open';
  return completion.phase === 'fail' && isRefusal(completion) ? 'refused' : completion.phase;
}

/** A no is an answer: access denied, no such file, or that of an API that works to what can't be (RFC 9110, 15.5). */
const isRefusal = ({ refused, absent, status = 0 }: CallEvent): boolean =>
  refused === true || absent === true || (status >= 400 && status < 500);

/** `POST /volumes`, `PUT /volumes/:id/exports`, `nfs-read`: calls of one name can be compared. */
export function operationName(operation: Operation): string {
  if (operation.kind !== 'http') return operation.kind;
  const path = operation.path
    .replace(/\?.*$/s, '')
    .replace(/^\/(volumes|nodes|subscriptions)\/[^/]+/, '/$1/:id');
  return `${operation.method} ${path}`;
}

/** Probes have a process for every call at once; a client for each of their nodes is enough. */
export const clientOf = ({ process }: Pick<Call, 'process'>): string =>
  callerOf(process).split(' ').slice(0, 2).join(' ');

/** A node's API, or its NFS server by the name under which it was mounted: the node's own. */
export const serverOf = ({ operation }: Pick<Call, 'operation'>): string =>
  operation.kind === 'http' ? apiOf(operation.node) : operation.server;

export const apiOf = (node: string): string => `${node} api`;

export function callColumns(
  all: readonly Call[],
  options: { readonly endMs: number; readonly momentsMs: readonly number[]; readonly strings: Strings },
): CallColumns {
  const { endMs, momentsMs, strings } = options;
  const rows = choose(
    all.map((call) => ({ call, atMs: call.invokedMs })),
    { most: MOST_CALLS, momentsMs, rank: ({ call }) => RANKS[outcomeOf(call)] },
  ).map(({ call }) => call);
  const column = <Value>(value: (call: Call) => Value): readonly Value[] => rows.map(value);
  return {
    total: all.length,
    atMs: column((call) => rounded(call.invokedMs)),
    tookMs: column((call) => rounded((call.completion?.atMs ?? endMs) - call.invokedMs)),
    client: column((call) => strings.of(clientOf(call))),
    server: column((call) => strings.of(serverOf(call))),
    operation: column((call) => strings.of(operationName(call.operation))),
    outcome: column((call) => OUTCOMES.indexOf(outcomeOf(call))),
    detail: column((call) => strings.of(detailOf(call))),
  };
}

function detailOf(call: Call): string {
  if (outcomeOf(call) === 'ok') return '';
  const { operation, completion } = call;
  const what =
    operation.kind === 'http'
      ? `${operation.method} ${operation.path} at ${operation.node}`
      : `${operation.kind} of ${operation.volume}/${operation.file} at ${operation.server}`;
  const why = [completion?.status, completion?.error].filter((part) => part !== undefined).join(' ');
  return clipped(why === '' ? what : `${what}: ${why}`, 300);
}

/** Without the rest of what is too long to be read. */
export const clipped = (text: string, most: number): string =>
  text.length <= most ? text : `${text.slice(0, most - 1)}…`;
