// What is wrong with a field, in words that go on after its name: `must be …`.
// Schemas say it themselves where a pattern alone would not be understood.

import type { z } from 'zod';

/** What only zod would say; anything else is a schema's own message. */
const ZODS_OWN = /^(Invalid input|Invalid option|Invalid discriminator value|Too small|Too big)\b/;

const NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
};

export function plainWords(issue: z.core.$ZodIssue): string {
  if (!ZODS_OWN.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, issue.message);
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return `must ${bound(issue, `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`)}`;
    case 'too_big':
      return `must ${bound(issue, `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`)}`;
    case 'invalid_union':
      return issue.message
        .replace(/^.*Expected /, 'must be ')
        .replaceAll("'", '')
        .replaceAll(' | ', ' or ');
    default:
      return issue.message;
  }
}

function wrongType(expected: string, message: string): string {
  const received = /received (\w+)$/.exec(message)?.[1] ?? 'something else';
  if (received === 'undefined') return 'is missing';
  // An int's own complaint is that it received a number.
  const not = expected === 'int' && received === 'number' ? '' : `, not ${NAMES[received] ?? received}`;
  return `must be ${NAMES[expected] ?? expected}${not}`;
}

function bound(issue: { readonly origin: string }, limit: string): string {
  const plural = limit.endsWith(' 1') ? '' : 's';
  if (issue.origin === 'array') return `have ${limit} item${plural}`;
  if (issue.origin === 'string') return `have ${limit} character${plural}`;
  return `be ${limit}`;
}
