import { describe, expect, it } from '@jest/globals';
import { createSerial } from '../../../src/base/serial.ts';
import { createTurns } from '../../../src/base/turns.ts';

/** Whatever can go on without anybody's doing has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Works that end when they are told to, and the order in which they began. */
function works() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => (): Promise<string> => {
    begun.push(name);
    return new Promise((resolve) => ends.set(name, () => resolve(name)));
  };
  return { begun, work, end: (name: string): void => ends.get(name)?.() };
}

describe('turns', () => {
  it('are so many at a time, in the order of their coming', async () => {
    const { begun, work, end } = works();
    const turns = createTurns(2);
    const all = ['a', 'b', 'c', 'd'].map((name) => turns.take(undefined, work(name)));
    await settled();
    expect(begun).toEqual(['a', 'b']);
    expect([turns.isFull, turns.isAwaited]).toEqual([true, true]);
    end('b');
    await settled();
    expect(begun).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) end(name);
    await settled();
    end('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
    expect([turns.isFull, turns.isAwaited]).toEqual([false, false]);
  });

  it('pass over whoever has given up', async () => {
    const { begun, work, end } = works();
    const turns = createTurns(1);
    const controller = new AbortController();
    const first = turns.take(controller.signal, work('a'));
    const second = expect(turns.take(controller.signal, work('b'))).rejects.toThrow('given up');
    const third = turns.take(undefined, work('c'));
    await settled();
    controller.abort();
    await second;
    await expect(turns.take(controller.signal, work('d'))).rejects.toMatchObject({ code: 'aborted' });
    // Its turn had come: it lasts until the work ends.
    expect(begun).toEqual(['a']);
    end('a');
    await first;
    await settled();
    expect(begun).toEqual(['a', 'c']);
    end('c');
    await third;
  });

  it('are given back once, however often they are ended', async () => {
    const turns = createTurns(2);
    const end = await turns.begin();
    await turns.begin();
    end();
    end();
    await turns.begin();
    expect(turns.isFull).toBe(true);
  });
});

describe('a serial', () => {
  it('does one work after the other, also after one that failed', async () => {
    const { begun, work, end } = works();
    const serial = createSerial();
    const failed = serial(() => Promise.reject(new Error('broken')));
    const [second, third] = [serial(work('b')), serial(work('c'))];
    await expect(failed).rejects.toThrow('broken');
    await settled();
    expect(begun).toEqual(['b']);
    end('b');
    expect(await second).toBe('b');
    await settled();
    end('c');
    expect(await third).toBe('c');
  });
});
