// A process as proc(5) tells of it, and what tells it from a later one that has its number.

import { readFileSync } from 'node:fs';

/** Its fields from the third on; undefined for one that has ended, and where there is no /proc. */
export function statOf(pid: number): readonly string[] | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command's name, in parentheses, may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** When it was started, in ticks since the machine was; undefined as for {@link statOf}. */
export const startOf = (pid: number): string | undefined => statOf(pid)?.[19];
