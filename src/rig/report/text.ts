// Lines that fit a terminal.

/** On one line, and cut where it is too long. */
export function cut(text: string, columns: number): string {
  const line = text.replaceAll(/\s*\n\s*/g, ' ');
  return line.length <= columns ? line : `${line.slice(0, Math.max(1, columns - 1)).trimEnd()}…`;
}

/** Broken at spaces into at most so many lines, the last of them cut; a word longer than a line is broken. */
export function wrapped(
  text: string,
  options: { readonly columns: number; readonly indent: string; readonly most: number },
): readonly string[] {
  const { columns, indent, most } = options;
  const lines: string[] = [];
  // What a program printed may have several lines.
  let rest = text.replaceAll(/\s*\n\s*/g, ' ').trimEnd();
  while (rest.length > columns && lines.length < most - 1) {
    const space = rest.lastIndexOf(' ', columns);
    const end = space > indent.length ? space : columns;
    lines.push(rest.slice(0, end).trimEnd());
    rest = indent + rest.slice(end).trimStart();
  }
  return [...lines, cut(rest, columns)];
}
