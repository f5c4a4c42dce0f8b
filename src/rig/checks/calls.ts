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

/** Every call, in order of invocation. */
export function calls(run: RecordedRun): readonly Call[] {
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
    if (invoked !== undefined) byNumber.set(event.call, { ...invoked, completion: event });
  }
  return [...byNumber.values()];
}

/** The calls that went through NFS. */
export const nfsCalls = (run: RecordedRun): readonly Call<NfsOperation>[] =>
  calls(run).filter((call): call is Call<NfsOperation> => 'consumer' in call.operation);

/** When a call ended; one whose end nobody knows may go on for ever. */
export const endedMs = (call: Call): number =>
  call.completion === undefined || call.completion.phase === 'info'
    ? Number.POSITIVE_INFINITY
    : call.completion.atMs;
