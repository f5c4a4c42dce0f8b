// Real connections through a relay, over links that are broken.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { createWires, type Wires } from '../../../src/hardware/wires.ts';
import { tryConnection } from '../../../src/process/connection-probe.ts';
import { watchPort } from '../../../src/process/port-watch.ts';
import { openRelay, type Relay } from '../../../src/process/relay.ts';
import type { LinkEffect } from '../../../src/rig/deployment.ts';

const HOST = '127.0.0.1';
const clock = createSystemClock();
const time = {
  get nowMs() {
    return clock.monotonicMs();
  },
  after: clock.after,
};

let wires: Wires;
let server: Server;
let relay: Relay;
let accepted: Socket[];

beforeEach(async () => {
  wires = createWires({ time, random: createSeededRandom(1), usual: 'real' });
  accepted = [];
  server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket.on('error', () => undefined));
    socket.pipe(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const at = { host: HOST, port: 0 };
  const target = { host: HOST, port };
  relay = await openRelay({ wires, at, target, to: 'b', from: async () => 'a' });
});

afterEach(async () => {
  await relay[Symbol.asyncDispose]();
  for (const socket of accepted) socket.destroy();
  server.close();
});

const dial = (): Socket => {
  const socket = connect({ host: HOST, port: relay.port, allowHalfOpen: true });
  return socket.on('error', () => undefined);
};
const breakLink = (effect: LinkEffect, way: 'there' | 'back' = 'there'): void =>
  wires.set('fault', [way === 'there' ? { from: 'a', to: 'b', effect } : { from: 'b', to: 'a', effect }]);

/** What has come within so long; `silent` for nothing. */
async function heard(socket: Socket, withinMs: number): Promise<string> {
  return new Promise((resolve) => {
    const cancel = clock.after(withinMs, () => resolve('silent'));
    socket.once('data', (chunk: Buffer) => {
      cancel();
      resolve(String(chunk));
    });
  });
}

/** By which error it was closed. */
const closed = (socket: Socket): Promise<unknown> =>
  new Promise((resolve) => socket.once('close', () => resolve(socket.errored)));

it('carries all of it, in its order, to its end', async () => {
  const client = dial();
  const sent = Array.from({ length: 50_000 }, (_, index) => `${index},`).join('');
  const back = text(client);
  client.end(sent);
  expect((await back) === sent).toBe(true);
});

it('holds back what is dropped until the link is whole again, and loses nothing', async () => {
  const client = dial();
  client.write('1');
  expect(await heard(client, 5_000)).toBe('1');
  breakLink({ does: 'drop' });
  client.write('2');
  expect(await heard(client, 300)).toBe('silent');
  wires.set('fault', []);
  client.end('3');
  expect(await text(client)).toBe('23');
});

it('breaks one direction alone', async () => {
  breakLink({ does: 'drop' }, 'back');
  const client = dial();
  client.write('x');
  await waitFor({
    clock,
    what: 'what was sent to be there',
    timeoutMs: 5_000,
    probe: async () => accepted[0]?.bytesRead || undefined,
  });
  expect(await heard(client, 300)).toBe('silent');
});

it('is as late as it is told', async () => {
  const client = dial();
  client.write('1');
  await heard(client, 5_000);
  breakLink({ does: 'delay', delayMs: 200, jitterMs: 0 });
  const startedMs = clock.monotonicMs();
  client.write('2');
  expect(await heard(client, 5_000)).toBe('2');
  expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(195);
});

it('takes no more than its link lets through', async () => {
  breakLink({ does: 'limit', kbitPerSecond: 1_000 });
  const client = dial();
  const startedMs = clock.monotonicMs();
  const back = text(client);
  client.end('x'.repeat(50_000));
  expect((await back).length).toBe(50_000);
  // 50,000 bytes at 125 a millisecond.
  expect(clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(390);
});

it('ends open connections with a reset as soon as something is sent', async () => {
  const client = dial();
  client.write('1');
  await heard(client, 5_000);
  breakLink({ does: 'reset' });
  const end = closed(client);
  client.write('2');
  expect(await end).toMatchObject({ code: 'ECONNRESET' });
});

it('refuses connections for as long as nobody would take them', async () => {
  const { port } = server.address() as AddressInfo;
  using watch = watchPort(clock, { host: HOST, port });
  await using watching = await openRelay({
    wires,
    at: { host: '127.7.0.3', port: 0 },
    target: { host: HOST, port },
    to: 'b',
    from: async () => 'a',
    watch,
  });
  const answer = async (): Promise<string> => {
    const client = connect({ host: '127.7.0.3', port: watching.port });
    const refused = closed(client).then((error) => (error as NodeJS.ErrnoException | null)?.code);
    client.on('error', () => undefined).write('?');
    const outcome = await Promise.race([heard(client, 1_000), refused]);
    client.destroy();
    return String(outcome);
  };
  const becomes = (wanted: string): Promise<true> =>
    waitFor({
      clock,
      what: `a connection to come to ${wanted}`,
      timeoutMs: 5_000,
      intervalMs: 5,
      probe: async () => (await answer()) === wanted || undefined,
    });
  await becomes('?');
  // As when a process is killed: its port and its connections go at once.
  server.close();
  for (const socket of accepted) socket.resetAndDestroy();
  await becomes('ECONNREFUSED');
  server.listen(port, HOST);
  await becomes('?');
});

it('passes on that the other side was killed', async () => {
  const client = dial();
  client.write('1');
  await heard(client, 5_000);
  accepted[0]?.resetAndDestroy();
  expect(await closed(client)).toMatchObject({ code: 'ECONNRESET' });
});

it('ends a connection of somebody that nobody knows', async () => {
  const { port } = server.address() as AddressInfo;
  await using strict = await openRelay({
    wires,
    at: { host: HOST, port: 0 },
    target: { host: HOST, port },
    to: 'b',
    from: async () => undefined,
  });
  const client = connect({ host: HOST, port: strict.port }).on('error', () => undefined);
  await closed(client);
  expect(accepted).toEqual([]);
});

describe('a probe', () => {
  const outcome = async (...effects: readonly LinkEffect[]) => {
    const isMuted = ({ does }: LinkEffect): boolean => does === 'mute';
    wires.set(
      'fault',
      effects.map((effect) =>
        isMuted(effect) ? { from: 'b', to: 'a', effect } : { from: 'a', to: 'b', effect },
      ),
    );
    return (await tryConnection({ wires, clock, path: { from: 'a', to: 'b' }, withinMs: 400 })).outcome;
  };

  it('tells a whole link from one that is cut, half-open and reset', async () => {
    expect(await outcome()).toBe('answered');
    expect(await outcome({ does: 'drop' })).toBe('silent');
    expect(await outcome({ does: 'mute' })).toBe('mute');
    expect(await outcome({ does: 'reset' })).toBe('reset');
  });
});
