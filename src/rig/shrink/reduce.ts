// The search for the smallest that still fails: delta debugging (Zeller and Hildebrandt,
// 2002), by leaving parts out, larger ones first. Pure but for the trials that it asks for.

/** What is smaller than this in one way, the smallest first; none when there is nothing left to take away. */
export type Pass<T> = (now: T) => readonly T[];

/**
 * Takes the first candidate that still fails, pass by pass, each until it finds none, and all of them
 * until none finds any. What a pass offers must be smaller than what it was given, or this never ends but by
 * `firstFailing`, which answers undefined when nobody wants to try any more.
 */
export async function reduce<T>(
  start: T,
  options: {
    readonly passes: readonly Pass<T>[];
    /** In their order; undefined when none fails. */
    readonly firstFailing: (candidates: readonly T[]) => Promise<T | undefined>;
  },
): Promise<T> {
  let now = start;
  for (;;) {
    const before = now;
    for (const pass of options.passes) {
      for (let next: T | undefined = now; next !== undefined; next = await options.firstFailing(pass(now)))
        now = next;
    }
    if (now === before) return now;
  }
}

/** The list without all of it, without each half, each quarter, and so on down to each single one. */
export function withoutParts<T>(all: readonly T[]): readonly (readonly T[])[] {
  const found: (readonly T[])[] = [];
  for (let size = all.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < all.length; from += size)
      found.push([...all.slice(0, from), ...all.slice(from + size)]);
  }
  return found;
}

/** Whole numbers below `now`: the least, half way to it, and one less. */
export function fewer(now: number, least: number): readonly number[] {
  const middle = Math.floor((now + least) / 2);
  return [...new Set([least, middle, now - 1])].filter((value) => value >= least && value < now);
}
