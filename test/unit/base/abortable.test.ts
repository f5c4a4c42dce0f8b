import { describe, expect, it } from '@jest/globals';
import { answerUnless, untilAborted } from '../../../src/base/abortable.ts';

const over = () => new Error('over');

async function* counting(most: number, atEnd: () => void): AsyncGenerator<number> {
  try {
    for (let number = 0; number < most; number += 1) yield number;
  } finally {
    atEnd();
  }
}

async function* silent(): AsyncGenerator<number> {
  yield 1;
  await new Promise<never>(() => {});
}

describe('a stream with an end of its own', () => {
  it('gives everything, and ends with its source', async () => {
    const found: number[] = [];
    const { signal } = new AbortController();
    for await (const number of untilAborted(
      counting(3, () => {}),
      signal,
      over,
    ))
      found.push(number);
    expect(found).toEqual([0, 1, 2]);
  });

  it('throws while its source keeps silent', async () => {
    const controller = new AbortController();
    const stream = untilAborted(silent(), controller.signal, over);
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    const next = expect(stream.next()).rejects.toThrow('over');
    controller.abort();
    await next;
  });

  it('ends without a reason where none is given', async () => {
    const controller = new AbortController();
    const stream = untilAborted(silent(), controller.signal);
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    const next = stream.next();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
  });

  it.each(['aborted', 'abandoned'])('tells its source when it is %s', async (how) => {
    let ends = 0;
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      const source = counting(10, () => {
        ends += 1;
      });
      for await (const number of untilAborted(source, controller.signal, over)) {
        if (number !== 2) continue;
        if (how === 'abandoned') break;
        controller.abort();
      }
    };
    if (how === 'abandoned') await read();
    else await expect(read()).rejects.toThrow('over');
    expect(ends).toBe(1);
  });

  it('throws what its source throws', async () => {
    const broken = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error('broken');
    };
    const stream = untilAborted(broken(), new AbortController().signal, over);
    await stream.next();
    await expect(stream.next()).rejects.toThrow('broken');
  });
});

describe('an answer that is waited for until a signal', () => {
  it('comes, or fails, as it would', async () => {
    const { signal } = new AbortController();
    expect(await answerUnless(Promise.resolve(1), signal, over)).toBe(1);
    await expect(answerUnless(Promise.reject(new Error('broken')), signal, over)).rejects.toThrow('broken');
  });

  it('is given up for the reason, before or while it is waited for', async () => {
    const cut = new AbortController();
    const silence = new Promise<never>(() => {});
    const waiting = answerUnless(silence, cut.signal, over);
    cut.abort();
    await expect(waiting).rejects.toThrow('over');
    await expect(answerUnless(silence, cut.signal, over)).rejects.toThrow('over');
  });
});
