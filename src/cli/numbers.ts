// Numbers from the command line, within bounds that are part of the complaint.

import { RigError } from '../base/errors.ts';

/** A parser of whole numbers, of what they are. It throws `invalid`. */
export function wholeNumber(what: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text === '' ? Number.NaN : text);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    throw new RigError('invalid', `'${text}' is no ${what}`, {
      next: `Give a whole number from ${least} to ${most}.`,
    });
  };
}

/** A parser of whole seconds, `30` or `30s`, into milliseconds. It throws `invalid`. */
export function wholeSeconds(least: number, most: number): (text: string) => number {
  return (text) => {
    const seconds = Number(/^([0-9]{1,9})s?$/.exec(text)?.[1]);
    if (seconds >= least && seconds <= most) return seconds * 1_000;
    throw new RigError('invalid', `'${text}' is no duration`, { next: `Give ${least}s to ${most}s.` });
  };
}
