// Tables for whoever reads them: as wide as they are in a pipe, and on a terminal that
// is too narrow a block of lines for each row. No name is ever broken.

import { coloured } from './colour.ts';
import { fitted } from './fitted.ts';

const GAP = '  ';

interface Table {
  readonly heads: readonly string[];
  /** A cell for each head; what is empty is left out of a block. */
  readonly rows: readonly (readonly string[])[];
  /** Of the terminal; undefined for a pipe or a file. Default: of stdout. */
  readonly columns?: number | undefined;
}

/** Lines, each with its end. Plain but for the heads. */
export function table({ heads, rows, columns = process.stdout.columns }: Table): string {
  const widths = heads.map((head, index) =>
    Math.max(head.length, ...rows.map((cells) => cells[index]?.length ?? 0)),
  );
  const total = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  if (columns && total > columns) return blocks({ heads, rows, columns });
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join(GAP)
      .trimEnd();
  return [coloured('strong', line(heads)), ...rows.map(line)].map((each) => `${each}\n`).join('');
}

function blocks({ heads, rows, columns }: Table): string {
  const lines = rows.flatMap(([name = '', ...cells]) => [
    coloured('strong', name),
    ...cells.flatMap((cell, index) =>
      cell === '' ? [] : [fitted(`  ${heads[index + 1]?.toLowerCase()}: ${cell}`, '    ', columns)],
    ),
  ]);
  return lines.map((each) => `${each}\n`).join('');
}
