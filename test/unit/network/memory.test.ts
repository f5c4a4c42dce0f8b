// What the network in memory has besides the contract: links that can be cut,
// processes that die.

import { describe, expect, it } from '@jest/globals';
import { createMemoryWorld } from '../../../src/network/memory.ts';
import type { Bytes } from '../../../src/network/network.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const OK = { status: 200, headers: {}, body: '' };

async function open() {
  const clock = createManualClock();
  const world = createMemoryWorld({ clock });
  const server = world.connect('a');
  const client = world.connect('b');
  const chunks: number[] = [];
  await server.listen({ host: 'a', port: 80 }, async ({ body }) => {
    for await (const chunk of body) chunks.push(chunk.length);
    return { ...OK, body: `${chunks.length}` };
  });
  /** A chunk a second. */
  async function* body(): Bytes {
    for (let sent = 0; sent < 10; sent += 1) {
      await clock.sleep(1000);
      yield new Uint8Array(10);
    }
  }
  const call = (timeoutMs = 5000) =>
    client
      .call({ method: 'PUT', url: 'http://a:80/', body: body(), timeoutMs })
      .then(({ body: text }) => text)
      .catch((error: { code: string; definite: boolean }) => `${error.code} ${error.definite}`);
  return { clock, world, server, client, chunks, call };
}

describe('the network in memory', () => {
  it('breaks what is under way when a link is cut, and refuses what is new', async () => {
    const { clock, world, chunks, call } = await open();
    const answer = call();
    await clock.advance(3500);
    world.cut('b', 'a');
    expect(await answer).toBe('unavailable false');
    expect(chunks).toHaveLength(3);
    expect(await call()).toBe('unavailable true');
    world.heal('a', 'b');
    const again = call();
    await clock.advance(20_000);
    expect(await again).toBe('13');
  });

  it('lets everything stand still when a link is cut silently, and go on when it is healed in time', async () => {
    const { clock, world, chunks, call } = await open();
    const answer = call();
    await clock.advance(3500);
    world.cut('a', 'b', { silently: true });
    await clock.advance(4000);
    expect(chunks).toHaveLength(3);
    world.heal('a', 'b');
    await clock.advance(20_000);
    expect(await answer).toBe('10');
  });

  it('times out when a link stays cut silently, for old calls and for new ones', async () => {
    const { clock, world, call } = await open();
    const old = call();
    await clock.advance(3500);
    world.cut('a', 'b', { silently: true });
    const late = call();
    await clock.advance(6000);
    expect([await old, await late]).toEqual(['timeout false', 'timeout false']);
  });

  it('does not touch other links', async () => {
    const { clock, world, call } = await open();
    world.cut('a', 'c');
    const answer = call();
    await clock.advance(20_000);
    expect(await answer).toBe('10');
  });

  it('ends the calls of a process that dies, and those to it, and gives its place to the next one', async () => {
    const { clock, world, server, client, call } = await open();
    const answer = call();
    await clock.advance(1500);
    server.close();
    expect(await answer).toBe('unavailable false');
    expect(await call()).toBe('unavailable true');
    await world.connect('a').listen({ host: 'a', port: 80 }, async () => ({ ...OK, body: 'reborn' }));
    expect(await call()).toBe('reborn');
    client.close();
    expect(await call()).toBe('unavailable true');
  });

  it('leaves no timer behind', async () => {
    const { clock, world, call } = await open();
    const answer = call();
    await clock.advance(500);
    world.cut('a', 'b');
    await answer;
    await clock.advance(1000);
    expect(clock.pendingTimers).toBe(0);
  });
});
