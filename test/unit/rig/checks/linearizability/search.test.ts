import { describe, expect, it } from '@jest/globals';
import { search, type Timed } from '../../../../../src/rig/checks/linearizability/search.ts';
import {
  bag,
  cas,
  dequeue,
  enqueue,
  type QueueOp,
  queue,
  type RegisterOp,
  read,
  register,
  span,
  write,
} from './objects.ts';

const REGISTERS: Readonly<Record<string, readonly [boolean, readonly Timed<RegisterOp>[]]>> = {
  'nothing at all': [true, []],
  'a read of the initial value': [true, [span(0, 1, read(0))]],
  'a read of a value that nobody wrote': [false, [span(0, 1, write(1)), span(2, 3, read(7))]],
  "Porcupine's first register: two reads beside a write, one of either value": [
    true,
    [span(0, 100, write(100)), span(25, 75, read(100)), span(30, 60, read(0))],
  ],
  "Porcupine's second register: beside a write the new value, then the old one": [
    false,
    [span(0, 100, write(200)), span(10, 30, read(200)), span(40, 90, read(0))],
  ],
  "Herlihy and Wing's H1: a read beside two writes, then one of the later": [
    true,
    [span(0, 10, write(1)), span(5, 20, write(2)), span(6, 8, read(1)), span(25, 30, read(2))],
  ],
  'a stale read': [false, [span(0, 1, write(1)), span(2, 3, write(2)), span(4, 5, read(1))]],
  'reads that see two writes in different orders': [
    false,
    [span(0, 10, write(1)), span(1, 11, write(2)), span(20, 21, read(1)), span(22, 23, read(2))],
  ],
  'a lost update: both of two sets from one value succeed': [
    false,
    [span(0, 1, write(1)), span(2, 5, cas(1, 2, true)), span(3, 6, cas(1, 3, true))],
  ],
  'one of two sets from one value fails': [
    true,
    [span(0, 1, write(1)), span(2, 5, cas(1, 2, true)), span(3, 6, cas(1, 3, false)), span(7, 8, read(2))],
  ],
  'a duplicated write: it happens again after another one': [
    false,
    [span(0, 1, write(1)), span(2, 3, write(2)), span(4, 5, read(2)), span(6, 7, read(1))],
  ],
  'an unknown write that happens late': [
    true,
    [span(0, undefined, write(1)), span(1, 2, write(2)), span(3, 4, read(2)), span(5, 6, read(1))],
  ],
  'an unknown write that never happens': [true, [span(0, undefined, write(1)), span(2, 3, read(0))]],
  'an unknown write that happens twice': [
    false,
    [
      span(0, undefined, write(1)),
      span(1, 2, read(1)),
      span(3, 4, write(2)),
      span(5, 6, read(2)),
      span(7, 8, read(1)),
    ],
  ],
  'two unknown writes of one value, each seen': [
    true,
    [
      span(0, undefined, write(1)),
      span(0.5, undefined, write(1)),
      span(1, 2, read(1)),
      span(3, 4, write(2)),
      span(5, 6, read(1)),
    ],
  ],
  'an unknown write that is seen before it begins': [
    false,
    [span(0, 1, read(1)), span(2, undefined, write(1))],
  ],
  "Jepsen's etcd: a read goes back behind an unknown set that was seen": [
    false,
    [span(0, 1, write(1)), span(2, undefined, cas(1, 4)), span(3, 4, read(4)), span(5, 6, read(1))],
  ],
  "Jepsen's etcd: an unknown set explains the failure of another": [
    true,
    [span(0, 1, write(1)), span(2, undefined, cas(1, 4)), span(3, 4, cas(1, 3, false)), span(5, 6, read(4))],
  ],
};

const QUEUES: Readonly<Record<string, readonly [boolean, readonly Timed<QueueOp>[]]>> = {
  "Herlihy and Wing's q1": [
    true,
    [span(0, 5, enqueue('x')), span(1, 3, enqueue('y')), span(6, 8, dequeue('y')), span(7, 9, dequeue('x'))],
  ],
  "Herlihy and Wing's q2: out of order": [
    false,
    [span(0, 1, enqueue('x')), span(2, 5, enqueue('y')), span(3, 6, dequeue('y'))],
  ],
  "Herlihy and Wing's q3: taken out while it is still put in": [
    true,
    [span(0, undefined, enqueue('x')), span(1, 2, dequeue('x'))],
  ],
  "Herlihy and Wing's q4: taken out twice": [
    false,
    [span(0, 6, enqueue('x')), span(1, 5, enqueue('y')), span(7, 8, dequeue('y')), span(9, 10, dequeue('y'))],
  ],
};

describe('search', () => {
  it.each(Object.entries(REGISTERS))('judges a register: %s', (_what, [isGood, history]) => {
    expect(search(history, register).kind).toBe(isGood ? 'linearizable' : 'not');
  });

  it.each(Object.entries(QUEUES))('judges a queue: %s', (_what, [isGood, history]) => {
    expect(search(history, queue).kind).toBe(isGood ? 'linearizable' : 'not');
  });

  it('follows every state that an operation may have left', () => {
    const ops = [span(0, 1, enqueue('a')), span(2, 3, enqueue('b')), span(4, 5, { kind: 'drop' as const })];
    for (const left of ['a', 'b']) {
      expect(search([...ops, span(6, 7, dequeue(left))], bag).kind).toBe('linearizable');
    }
    expect(search([...ops, span(6, 7, dequeue('a')), span(8, 9, dequeue('b'))], bag).kind).toBe('not');
  });

  it('answers with the order that it found', () => {
    const history = [span(0, 100, write(1)), span(1, 50, read(0)), span(2, undefined, write(9))];
    expect(search(history, register)).toMatchObject({
      kind: 'linearizable',
      order: [{ op: read(0) }, { op: write(1) }],
    });
  });

  it('gives up when there is too much to try, and says so the same way each time', () => {
    const history = [
      ...Array.from({ length: 12 }, (_, index) => span(index, 1000 + index, write(index + 1))),
      span(2000, 2001, read(99)),
    ];
    const found = search(history, register, 500);
    expect(found).toEqual(search(history, register, 500));
    expect(found).toEqual({ kind: 'unknown', explored: 501 });
  });

  it('looks at no more than it has to in a long history', () => {
    const history = Array.from({ length: 10_000 }, (_, index) => [
      span(index * 10, index * 10 + 5, write(index)),
      span(index * 10 + 1, index * 10 + 6, read(index)),
    ]).flat();
    expect(search(history, register).explored).toBeLessThan(40_000);
  });
});
