// Each text once, by number.

export interface Strings {
  /** The number of the text. */
  of(text: string): number;
  readonly all: readonly string[];
}

export function createStrings(): Strings {
  const numbers = new Map<string, number>();
  const all: string[] = [];
  return {
    all,
    of: (text) => {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, all.length);
      return all.push(text) - 1;
    },
  };
}

/** Tenths of a millisecond are all that a picture shows. */
export const rounded = (ms: number): number => Math.round(ms * 10) / 10;
