import { describe, expect, it } from '@jest/globals';
import { cut, wrapped } from '../../../../src/rig/report/text.ts';

describe('lines that fit a terminal', () => {
  it('are broken at spaces, and go on behind the indent', () => {
    expect(wrapped('valid  ends: all that had to end did', { columns: 20, indent: '   ', most: 9 })).toEqual([
      'valid  ends: all',
      '   that had to end',
      '   did',
    ]);
  });

  it('are one when the text ends with a line, and that fits', () => {
    expect(wrapped('no such host \n', { columns: 12, indent: '  ', most: 9 })).toEqual(['no such host']);
  });

  it('break a word that is longer than a line', () => {
    expect(wrapped('abcdefghij', { columns: 4, indent: ' ', most: 9 })).toEqual(['abcd', ' efg', ' hij']);
  });

  it('end in an ellipsis where there is more than they may be', () => {
    expect(wrapped('one two three four', { columns: 8, indent: '', most: 2 })).toEqual([
      'one two',
      'three f…',
    ]);
    expect(cut('one\ntwo', 5)).toBe('one…');
  });
});
