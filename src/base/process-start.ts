// What tells one process from a later one that has its number.

import { readFileSync } from 'node:fs';

/** When it was started, in ticks since the machine was, as proc(5) tells; undefined for one that has ended, and where there is no /proc. */
export function startOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The command's name, in parentheses, may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
