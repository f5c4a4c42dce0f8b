import { expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../src/base/random.ts';
import { createMemoryWorld } from '../../../src/network/memory.ts';
import type { Bytes, NetworkRequest } from '../../../src/network/network.ts';
import { drive } from '../../../src/simulator/drive.ts';
import { createProcess } from '../../../src/simulator/process.ts';
import { createQueue } from '../../../src/simulator/queue.ts';
import { repeating } from '../../../src/simulator/repeats.ts';
import { LOOP } from './loop.ts';

async function* stream(...texts: readonly string[]): Bytes {
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function* brokenOff(): Bytes {
  yield* stream('half of ');
  throw new Error('it ends here');
}

/** All that the other side gets, with its path, when so many calls are made whose sender has died by then. */
async function received(
  count: number,
  body: (index: number) => NetworkRequest['body'],
): Promise<readonly string[]> {
  const queue = createQueue();
  const { clock } = createProcess(queue);
  const world = createMemoryWorld({ clock });
  const heard: string[] = [];
  await drive(queue, LOOP, async () => {
    await world.connect('b').listen({ host: 'b', port: 80 }, async (request) => {
      let text = '';
      for await (const chunk of request.body) text += new TextDecoder().decode(chunk);
      heard.push(`${request.path} ${request.headers.authorization} ${text}`);
      return { status: 200, headers: {}, body: '' };
    });
    const own = world.connect('a');
    const network = repeating(own, { queue, random: createSeededRandom(1), wire: world.connect('a') });
    for (let index = 0; index < count; index += 1) {
      const sent = body(index);
      const request = {
        method: 'PUT',
        url: `http://b/${index}`,
        headers: { authorization: `nonce ${index}` },
      } as const;
      await network
        .call({ ...request, timeoutMs: 1_000, ...(sent && { body: sent }) })
        .catch(() => undefined);
    }
    own.close();
    await clock.sleep(30_000);
  });
  return heard;
}

it('comes again as it was, for a few calls, though its sender is dead', async () => {
  const heard = await received(200, (index) => [undefined, 'text', stream('a ', 'stream')][index % 3]);
  const repeated = heard.length - 200;
  expect(repeated).toBeGreaterThan(3);
  expect(repeated).toBeLessThan(25);
  // Nothing is new in any of them.
  expect(new Set(heard).size).toBe(200);
});

it('does not come again where it was not sent to its end', async () => {
  expect(await received(200, () => brokenOff())).toEqual([]);
});
