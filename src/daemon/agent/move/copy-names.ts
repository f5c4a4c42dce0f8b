// The names of copies. One begins with the volume's revision in etcd when the
// attempt began, so that of all copies on a disk the last one can be told, and
// goes on with chance, so that a call of an attempt that died never meets a name
// of the one after it.

import { hex, type Random } from '../../../base/random.ts';

const REVISION_DIGITS = 12;

/**
 * Of no attempt: revisions don't get so far. On the disk of a volume's old node it says that what the new node has
 * was found to differ, and that nothing is to be cleared away there until people have looked at it and have
 * deleted this copy.
 */
export const MISMATCH_MARK = 'ffffffffffffffff-0';

/** Names the copies of one attempt, each later in order than the one before, and than those `known`. */
export function createCopyNames(options: {
  readonly modRevision: number;
  readonly random: Random;
  /** Names of the volume's copies, wherever they are. */
  readonly known: readonly string[];
}): () => string {
  const revision = options.modRevision.toString(16).padStart(REVISION_DIGITS, '0').slice(-REVISION_DIGITS);
  const attempt = `${revision}${hex(options.random, 16 - REVISION_DIGITS)}`;
  const taken = options.known.filter((name) => name.startsWith(revision)).map(numberOf);
  let next = Math.max(-1, ...taken) + 1;
  return () => `${attempt}-${next++}`;
}

/** The one that was frozen last; undefined of none. */
export function newest(names: readonly string[]): string | undefined {
  return names
    .filter((name) => name !== MISMATCH_MARK)
    .sort(inOrder)
    .at(-1);
}

function inOrder(left: string, right: string): number {
  const [a, b] = [left.slice(0, REVISION_DIGITS), right.slice(0, REVISION_DIGITS)];
  if (a !== b) return a < b ? -1 : 1;
  return numberOf(left) - numberOf(right);
}

const numberOf = (name: string): number => Number(name.slice(name.indexOf('-') + 1));
