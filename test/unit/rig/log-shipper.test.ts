import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import type { LogRecord } from '../../../src/rig/log-record.ts';
import { createLogShipper, describeShipped, type LogShipper } from '../../../src/rig/log-shipper.ts';

const HOST = '127.0.0.1';
const clock = createSystemClock();
const open: Socket[] = [];
const servers: Server[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

interface Store {
  readonly port: number;
  lines(): readonly { readonly event?: string }[];
}

/** A log store that takes what it is sent; or, `deaf`, reads nothing of it. */
async function startStore({ port = 0, deaf = false } = {}): Promise<Store> {
  let text = '';
  const server = createServer((socket) => {
    open.push(socket);
    socket.on('error', () => undefined);
    if (deaf) socket.pause();
    else socket.on('data', (data) => (text += data.toString()));
  });
  servers.push(server);
  server.listen(port, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    lines: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
  };
}

const record = (event: string, more: object = {}): LogRecord => ({
  time: '2026-01-01T00:00:01.5Z',
  node: 'node1',
  level: 'info',
  event,
  ...more,
});
const shipMany = (shipper: LogShipper, count: number, bytes: number): void => {
  for (let number = 0; number < count; number += 1)
    shipper.ship(record(`e${number}`, { padding: 'x'.repeat(bytes) }), { run: 'r1' });
};

describe('a log shipper', () => {
  it('sends every line as JSON, in order, with its time and the run that it is of', async () => {
    const store = await startStore();
    const shipper = createLogShipper({ clock, host: HOST, port: store.port });
    shipMany(shipper, 5_000, 100);
    expect(await shipper.end()).toEqual({ sent: 5_000, dropped: 0 });
    await waitFor({
      clock,
      what: 'the store to read all',
      timeoutMs: 5_000,
      probe: async () => (store.lines().length === 5_000 ? true : undefined),
      describe: () => `${store.lines().length} lines`,
    });
    expect(store.lines().map(({ event }) => event)).toEqual(Array.from({ length: 5_000 }, (_, n) => `e${n}`));
    expect(store.lines()[0]).toMatchObject({
      '@timestamp': '2026-01-01T00:00:01.500Z',
      run: 'r1',
      node: 'node1',
    });
  });

  it('keeps what it has for a store that comes later', async () => {
    const { port } = await startStore();
    servers.pop()?.close();
    const shipper = createLogShipper({ clock, host: HOST, port });
    shipper.ship(record('early'), { run: 'r1' });
    const store = await startStore({ port });
    await shipper.flush();
    expect(await shipper.end()).toMatchObject({ sent: 1, dropped: 0 });
    await waitFor({
      clock,
      what: 'the line to arrive',
      timeoutMs: 5_000,
      probe: async () => store.lines()[0],
    });
  });

  it('gives up on a store that is not there, counts what it gives up and says why', async () => {
    const { port } = await startStore();
    servers.pop()?.close();
    const shipper = createLogShipper({ clock, host: HOST, port, withinMs: 200 });
    shipMany(shipper, 10, 10);
    const shipped = await shipper.end();
    expect(shipped).toMatchObject({ sent: 0, dropped: 10, failure: expect.stringContaining('ECONNREFUSED') });
    expect(describeShipped(shipped, { host: HOST, port })).toMatch(
      /^10 of 10 log lines did not reach the log store 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
    );
  });

  it('holds no more than it may for a store that takes nothing, and doesn’t wait for it for ever', async () => {
    const { port } = await startStore({ deaf: true });
    const mostHeldBytes = 2 ** 20;
    const shipper = createLogShipper({ clock, host: HOST, port, mostHeldBytes, withinMs: 200 });
    shipMany(shipper, 20_000, 1_000);
    const { sent, dropped } = await shipper.end();
    expect(sent + dropped).toBe(20_000);
    expect(dropped).toBeGreaterThan(10_000);
    expect(describeShipped({ sent, dropped }, { host: HOST, port })).toContain('too slow');
  });

  it('has nothing to say of no lines', async () => {
    const shipper = createLogShipper({ clock, host: HOST, port: 1 });
    expect(describeShipped(await shipper.end(), { host: HOST, port: 1 })).toBeUndefined();
  });
});
