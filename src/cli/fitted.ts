// Lines for whoever reads them: on a terminal broken at spaces, whole in a pipe or
// a file, where a program may look for one.

/** What does not fit goes on behind the indent; a word that is longer than a line stays whole, for it may be a name. */
export function fitted(
  line: string,
  indent: string,
  columns: number | undefined = process.stdout.columns,
): string {
  // A terminal may not know how wide it is.
  if (!columns) return line;
  // What a program printed may have several lines.
  const text = line.replaceAll(/\s*\n\s*/g, ' ').trimEnd();
  // Each word but the first with the spaces before it: they may be columns.
  const [first = '', ...words] = text.split(/(?<=\S)(?=\s)/);
  const lines: string[] = [];
  let last = first;
  for (const word of words) {
    if (last.length + word.length <= columns) {
      last += word;
      continue;
    }
    lines.push(last);
    last = indent + word.trimStart();
  }
  return [...lines, last].join('\n');
}
