import { expect, it } from '@jest/globals';
import { traceIdOf } from '../../../src/model/trace.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

it.each([
  [`00-${TRACE}-${PARENT}-01`, TRACE],
  [`01-${TRACE}-${PARENT}-01-more`, TRACE],
  [undefined, undefined],
  ['', undefined],
  [`ff-${TRACE}-${PARENT}-01`, undefined],
  [`00-${'0'.repeat(32)}-${PARENT}-01`, undefined],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, undefined],
  [`00-${TRACE.toUpperCase()}-${PARENT}-01`, undefined],
  [`00-${TRACE}-${PARENT}-01x`, undefined],
  [`00-${TRACE}`, undefined],
])('traceIdOf(%j) is %j', (header, expected) => {
  expect(traceIdOf(header)).toBe(expected);
});
