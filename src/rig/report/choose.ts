// Of more than a page can hold, the part that matters.

export interface Choice<Row> {
  /** How many may stay. */
  readonly most: number;
  /** What matters more has a higher rank. */
  readonly rank: (row: Row) => number;
  /** The moments that the findings speak of; of one rank, what is nearest to one stays. */
  readonly momentsMs: readonly number[];
}

/** The rows that stay, in the order in which they came. Without a moment the latest are the nearest. */
export function choose<Row extends { readonly atMs: number }>(
  rows: readonly Row[],
  { most, rank, momentsMs }: Choice<Row>,
): readonly Row[] {
  if (rows.length <= most) return rows;
  const lastMs = rows.reduce((last, row) => Math.max(last, row.atMs), 0);
  const moments = momentsMs.length === 0 ? [lastMs] : [...momentsMs];
  const distance = (atMs: number): number =>
    moments.reduce((least, moment) => Math.min(least, Math.abs(atMs - moment)), Number.POSITIVE_INFINITY);
  const order = rows.map((row, index) => ({ index, rank: rank(row), distance: distance(row.atMs) }));
  order.sort((a, b) => b.rank - a.rank || a.distance - b.distance || a.index - b.index);
  const kept = new Set(order.slice(0, most).map(({ index }) => index));
  return rows.filter((_row, index) => kept.has(index));
}
