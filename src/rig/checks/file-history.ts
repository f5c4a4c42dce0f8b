// The files that consumers wrote and read, and what each may hold when it is looked at.

import type { RecordedRun } from '../history.ts';
import { type Call, endedMs, type NfsOperation, nfsCalls, possiblyLast } from './calls.ts';
import type { Bound } from './late-writes.ts';
import { readsThatTell } from './reads.ts';

type NfsCall = Call<NfsOperation>;

export interface FileHistory {
  readonly name: string;
  readonly volume: string;
  readonly file: string;
  /** In order of invocation; those that were refused before they began left out. */
  readonly writes: NfsCall[];
  /** Those that found something, and those that found nothing where the file might be looked for. */
  readonly reads: NfsCall[];
}

/** All that were written or read. */
export function fileHistories(run: RecordedRun): readonly FileHistory[] {
  const byName = new Map<string, FileHistory>();
  const tells = readsThatTell(run);
  for (const call of nfsCalls(run)) {
    const { kind, volume, file } = call.operation;
    const name = `${volume}/${file}`;
    const history = byName.get(name) ?? { name, volume, file, writes: [], reads: [] };
    byName.set(name, history);
    if (kind === 'nfs-write' && !neverBegan(call)) history.writes.push(call);
    if (kind === 'nfs-read' && tells(call)) history.reads.push(call);
  }
  return [...byName.values()];
}

const neverBegan = ({ completion }: NfsCall): boolean =>
  completion?.phase === 'fail' && completion.refused === true;

export const isAcknowledged = (write: NfsCall): boolean => write.completion?.phase === 'ok';

/**
 * What the file may hold when it is looked at. `acknowledged` is a write that
 * it must not be older than; `possible` is undefined when its content can't be judged.
 */
export function contentAt(
  { writes }: Pick<FileHistory, 'writes'>,
  isOver: Bound,
  look: { readonly fromMs: number; readonly toMs: number },
): { readonly acknowledged: NfsCall | undefined; readonly possible: ReadonlySet<string> | undefined } {
  const begun = writes.filter((write) => write.invokedMs <= look.toMs);
  const before = begun.filter((write) => isAcknowledged(write) && endedMs(write) < look.fromMs);
  const acknowledged = before.at(-1);
  // A look that overlaps a write may meet half a file, and so may one after a write that nobody knows
  // the outcome of, until another has certainly taken its place.
  const blurred = begun.some((write) =>
    isAcknowledged(write)
      ? endedMs(write) >= look.fromMs
      : acknowledged === undefined || !isOver(write, acknowledged.invokedMs),
  );
  if (blurred) return { acknowledged, possible: undefined };
  return {
    acknowledged,
    possible: new Set(possiblyLast(before).map((write) => write.completion?.sha256 ?? digest(write))),
  };
}

/** Of what was to be written. */
export const digest = (call: NfsCall): string => call.operation.sha256 ?? '(unknown)';
