import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { fieldErrors } from '../../../src/model/parse.ts';

/** `<path> <message>` of what a schema refuses first. */
function refusal(schema: z.ZodType, input: unknown): string {
  const { error } = schema.safeParse(input);
  const [first] = error === undefined ? [] : fieldErrors(error);
  return `${first?.path} ${first?.message}`;
}

describe('a refused field', () => {
  it.each<[string, z.ZodType, unknown]>([
    ['must be an object, not null', z.object({}), null],
    ['is missing', z.string(), undefined],
    ['must be a list, not a string', z.array(z.string()), 'x'],
    ['must be a whole number', z.int(), 2.5],
    ['must be a number, not a string', z.int(), '2'],
    ['must have at least 1 item', z.array(z.string()).min(1), []],
    ['must have at most 2 items', z.array(z.string()).max(2), ['a', 'b', 'c']],
    ['must have at least 3 characters', z.string().min(3), ''],
    ['must be at least 1', z.number().min(1), 0],
    ['must be more than 0', z.number().positive(), 0],
    ['must be at most 9', z.number().max(9), 10],
    ['must be rw or ro', z.enum(['rw', 'ro']), 'wr'],
    ['must be 1', z.literal(1), 3],
    ['must be a letter', z.string().regex(/^[a-z]$/, 'must be a letter'), '7'],
  ])('%s, and not in the words of the library', (words, schema, input) => {
    expect(refusal(z.object({ field: schema }), { field: input })).toBe(`field ${words}`);
  });

  it('is told which kinds there are', () => {
    const schema = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a') }),
      z.object({ kind: z.literal('b') }),
    ]);
    expect(refusal(schema, { kind: 'c' })).toBe('kind must be a or b');
  });
});
