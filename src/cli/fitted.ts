// Lines for whoever reads them: on a terminal broken at spaces, whole in a pipe or
// a file, where a program may look for one.

import { wrapped } from '../rig/report/text.ts';

/** What does not fit goes on behind the indent. */
export function fitted(line: string, indent: string): string {
  const { columns } = process.stdout;
  return columns === undefined ? line : wrapped(line, { columns, indent, most: Infinity }).join('\n');
}
