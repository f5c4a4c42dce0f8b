// Lines and tables for a terminal, in which no name is ever broken.

import { describe, expect, it } from '@jest/globals';
import { fitted } from '../../../src/cli/fitted.ts';
import { table } from '../../../src/cli/table.ts';

describe('lines', () => {
  it('are broken at spaces, and go on behind the indent', () => {
    expect(fitted('valid  ends: all that had to end did', '   ', 20).split('\n')).toEqual([
      'valid  ends: all',
      '   that had to end',
      '   did',
    ]);
  });

  it('keep a word whole that is longer than they are', () => {
    expect(
      fitted('in runs/20260101-120000-agent-down-volume-scheduled-7 it is', '  ', 20).split('\n'),
    ).toEqual(['in', '  runs/20260101-120000-agent-down-volume-scheduled-7', '  it is']);
  });

  it('are whole where there is no terminal, and one where a program printed several', () => {
    expect(fitted('one two three', '', undefined)).toBe('one two three');
    expect(fitted('one\n  two\n', '', 40)).toBe('one two');
  });
});

describe('a table', () => {
  const heads = ['NAME', 'STATE', 'URL'];
  const rows = [
    ['node1', 'running', 'http://127.0.0.1:20001'],
    ['a-node-with-a-name', 'exited', ''],
  ];

  it('has a row a line where it fits, and where nobody looks at it on a terminal', () => {
    const wanted =
      'NAME                STATE    URL\nnode1               running  http://127.0.0.1:20001\na-node-with-a-name  exited\n';
    expect(table({ heads, rows, columns: 80 })).toBe(wanted);
    expect(table({ heads, rows, columns: undefined })).toBe(wanted);
  });

  it('has a block a row where it does not fit, without what is empty', () => {
    expect(table({ heads, rows, columns: 40 }).split('\n')).toEqual([
      'node1',
      '  state: running',
      '  url: http://127.0.0.1:20001',
      'a-node-with-a-name',
      '  state: exited',
      '',
    ]);
  });
});
