// An error as one line for people: what happened, and what to do.

import type { RigError } from '../base/errors.ts';

export function explain({ code, message, next }: RigError): string {
  const bug = code === 'internal' ? 'this is a bug; run again with --debug for the stack' : undefined;
  const advice = next ?? bug;
  const line = message.replaceAll(/\s*\n\s*/g, ' ');
  return advice === undefined ? line : `${line}; ${continued(advice)}`;
}

/** A sentence after a semicolon begins small, unless its first word is one of capitals. */
function continued(sentence: string): string {
  return /^[A-Z][a-z]/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence;
}
