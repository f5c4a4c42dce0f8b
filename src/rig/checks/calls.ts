// The clients' calls, each invocation paired with its completion.

import type { CallEvent, Operation, RecordedRun } from '../history.ts';

export interface Call<Op extends Operation = Operation> {
  readonly call: number;
  readonly process: string;
  readonly operation: Op;
  readonly invokedMs: number;
  /** Undefined while nobody knows how it ended, because the run was cut short. */
  readonly completion: CallEvent | undefined;
}

export type NfsOperation = Extract<Operation, { readonly consumer: string }>;

// Most checks ask for the calls of the same run, some more than once.
const paired = new WeakMap<RecordedRun['history'], readonly Call[]>();
const throughNfs = new WeakMap<RecordedRun['history'], readonly Call<NfsOperation>[]>();

/** Every call, in order of invocation. */
export function calls(run: RecordedRun): readonly Call[] {
  const known = paired.get(run.history);
  if (known !== undefined) return known;
  const all = pairs(run);
  paired.set(run.history, all);
  return all;
}

function pairs(run: RecordedRun): readonly Call[] {
  const byNumber = new Map<number, Call>();
  for (const event of run.history) {
    if (event.type !== 'call') continue;
    if (event.phase === 'invoke') {
      byNumber.set(event.call, {
        call: event.call,
        process: event.process,
        operation: event.operation,
        invokedMs: event.atMs,
        completion: undefined,
      });
      continue;
    }
    const invoked = byNumber.get(event.call);
    if (invoked !== undefined)
      byNumber.set(event.call, { ...invoked, operation: asked(invoked.operation, event), completion: event });
  }
  return [...byNumber.values()];
}

/** Of a call through a mount its end tells which node was asked. */
const asked = (operation: Operation, { server }: CallEvent): Operation =>
  server === undefined || operation.kind === 'http' ? operation : { ...operation, server };

/** The calls that went through NFS. */
export function nfsCalls(run: RecordedRun): readonly Call<NfsOperation>[] {
  const known = throughNfs.get(run.history);
  if (known !== undefined) return known;
  const all = calls(run).filter((call): call is Call<NfsOperation> => 'consumer' in call.operation);
  throughNfs.set(run.history, all);
  return all;
}

/** Of acknowledged writes to one file, those of which each may have been the last to take effect. */
export function possiblyLast<Op extends Operation>(writes: readonly Call<Op>[]): readonly Call<Op>[] {
  const lastBegunMs = writes.reduce((latest, { invokedMs }) => Math.max(latest, invokedMs), 0);
  return writes.filter((write) => endedMs(write) >= lastBegunMs);
}

/** When a call ended; one whose end nobody knows may go on for ever. */
export const endedMs = (call: Call): number =>
  call.completion === undefined || call.completion.phase === 'info'
    ? Number.POSITIVE_INFINITY
    : call.completion.atMs;
