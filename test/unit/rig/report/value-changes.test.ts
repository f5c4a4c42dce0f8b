import { describe, expect, it } from '@jest/globals';
import { changesBetween } from '../../../../src/rig/report/value-changes.ts';

describe('what differs between two values', () => {
  it('is told field by field, at any depth; a list is one', () => {
    expect(
      changesBetween(
        { state: 'scheduling', control: { error: null, task: null }, exports: [] },
        {
          state: 'ready',
          control: { error: null, task: { kind: 'move' } },
          exports: [{ host: 'a' }],
          node: 'n',
        },
      ),
    ).toEqual([
      'state: "scheduling" → "ready"',
      'control.task: null → nothing',
      'exports: [] → [{"host":"a"}]',
      'control.task.kind: nothing → "move"',
      'node: nothing → "n"',
    ]);
  });

  it('is nothing where they are the same, and the value where it is no object', () => {
    expect(changesBetween({ a: { b: [1] } }, { a: { b: [1] } })).toEqual([]);
    expect(changesBetween('x', 'y')).toEqual(['value: "x" → "y"']);
  });
});
