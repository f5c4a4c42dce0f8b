// Looking things up in what is in order already: runs are long, and checks ask often.

/** How many of the first elements pass; all that do have to come before those that don't. */
export function countFirst<T>(sorted: readonly T[], passes: (element: T) => boolean): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (passes(sorted[middle] as T)) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The last of those, if any does. */
export const lastOfFirst = <T>(sorted: readonly T[], passes: (element: T) => boolean): T | undefined =>
  sorted[countFirst(sorted, passes) - 1];
