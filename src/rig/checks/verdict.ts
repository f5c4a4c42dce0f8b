// How a check words its answer.

import type { EtcdEvent, Verdict } from '../history.ts';

/** A counter-example is to be read by a person: this many lines of it, and no more. */
const LONGEST_COUNTER_EXAMPLE = 8;

/** The three answers of the check with this name. */
export interface Answers {
  valid(reason: string): Verdict;
  /** `lines` are the counter-example; all but the first eight are left out, with a note. */
  invalid(reason: string, lines: readonly string[]): Verdict;
  unknown(reason: string, lines?: readonly string[]): Verdict;
}

export function answersOf(check: string): Answers {
  return {
    valid: (reason) => ({ check, verdict: 'valid', reason }),
    invalid: (reason, lines) => ({ check, verdict: 'invalid', reason, counterExample: shortened(lines) }),
    unknown: (reason, lines) => ({
      check,
      verdict: 'unknown',
      reason,
      ...(lines === undefined ? {} : { counterExample: shortened(lines) }),
    }),
  };
}

function shortened(lines: readonly string[]): readonly string[] {
  if (lines.length <= LONGEST_COUNTER_EXAMPLE) return lines;
  const rest = lines.length - LONGEST_COUNTER_EXAMPLE;
  return [...lines.slice(0, LONGEST_COUNTER_EXAMPLE), `… and ${rest} more`];
}

/** Run time for people: `+3.412 s`. */
export const seconds = (atMs: number): string => `+${(atMs / 1000).toFixed(3)} s`;

/** Where an event stands: `revision 12, +3.412 s`. */
export const position = (event: EtcdEvent): string => `revision ${event.revision}, ${seconds(event.atMs)}`;

/** `1 volume`, `2 volumes`. */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
