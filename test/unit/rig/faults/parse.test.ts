// Faults as people type them.

import { describe, expect, it } from '@jest/globals';
import { EXAMPLES } from '../../../../src/rig/faults/listing.ts';
import { exampleOf, parseFault } from '../../../../src/rig/faults/parse.ts';
import { FAULT_NAMES } from '../../../../src/rig/faults/spec-schema.ts';
import { parseSelector, parseTarget } from '../../../../src/rig/faults/target.ts';

describe('a fault that is typed', () => {
  it.each(FAULT_NAMES)('can be any that there is: %s', (name) => {
    const [, , fault = '', ...words] = exampleOf(name).split(' ');
    expect(parseFault(fault, words)).toEqual(EXAMPLES[name]);
  });

  it('hits as hard as the example where nothing is said', () => {
    expect(parseFault('latency', ['node1'])).toEqual({
      fault: 'latency',
      on: 'node1',
      delayMs: 200,
      jitterMs: 50,
    });
    expect(parseFault('etcd-compaction', [])).toEqual({ fault: 'etcd-compaction', everyMs: 500 });
  });

  it('hits several, all of etcd, or one role', () => {
    expect(parseFault('loss', ['node1,node2', 'percent=5'])).toMatchObject({
      on: ['node1', 'node2'],
      percent: 5,
    });
    expect(parseFault('pause', ['etcd'])).toEqual({ fault: 'pause', on: 'etcd-all' });
    expect(parseFault('kill', ['leader/engine'])).toEqual({ fault: 'kill', on: 'leader', role: 'engine' });
  });

  it.each<[string, readonly string[], string]>([
    ['lost', [], "there is no fault 'lost'"],
    ['toString', [], "there is no fault 'toString'"],
    ['loss', [], "'on' is missing"],
    ['loss', ['one', 'percent=101'], "'percent' must be at most 100"],
    ['loss', ['one', 'percent='], "'percent' must be a number"],
    ['loss', ['one', 'two'], "'on' is given twice"],
    ['loss', ['one', 'delayMs=1'], "'delayMs' is not a known field"],
    ['restart', ['node1/engine'], "'role' is not a known field"],
    ['kill', ['node1/brain'], "'role' must be"],
    ['partition', ['one', 'shape=star'], "'shape' must be"],
    ['node-added', ['../x'], "'node' must be 1-63 of"],
    ['cut', ['node1'], "'on' is not a known field"],
  ])('is refused: %s %j', (name, words, message) => {
    expect(() => parseFault(name, words)).toThrow(message);
  });
});

describe('whom people mean', () => {
  it('is a member, what it is, or a role of it', () => {
    expect(parseTarget('node1')).toEqual({ on: 'node1' });
    expect(parseTarget('etcd')).toEqual({ on: 'etcd-all' });
    expect(parseTarget('one/agent')).toEqual({ on: 'one', role: 'agent' });
    expect(parseSelector('node1')).toBe('node1');
  });

  it.each(['node1/', 'node1/brain', '/engine', 'node1/engine/api'])('is refused: %s', (text) => {
    expect(() => parseTarget(text)).toThrow(`'${text}' is no role of a node`);
  });
});
