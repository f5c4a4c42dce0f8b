// A call that refuses an address reaches nobody there, whether the URL says so or a name leads there.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createHttpNetwork } from '../../../src/network/http.ts';
import { createMemoryWorld } from '../../../src/network/memory.ts';
import type { Network } from '../../../src/network/network.ts';

const clock = createSystemClock();

async function post(network: Network, url: string, refuses: (address: string) => boolean): Promise<unknown> {
  return network
    .call({ method: 'POST', url, body: '{}', timeoutMs: 2000, refuses })
    .then(({ status }) => status)
    .catch((error: unknown) => error);
}

it.each(['127.0.0.1', 'localhost'])('over HTTP to %s', async (host) => {
  let calls = 0;
  const server = createServer((_request, response) => {
    calls += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://${host}:${(server.address() as AddressInfo).port}/`;
  const network = createHttpNetwork({ clock });
  const loopback = (address: string): boolean => address === '127.0.0.1' || address === '::1';
  expect(await post(network, url, loopback)).toMatchObject({ code: 'unavailable', definite: true });
  expect(calls).toBe(0);
  expect(await post(network, url, () => false)).toBe(200);
  server.close();
});

it('in memory', async () => {
  const world = createMemoryWorld({ clock });
  const { port } = await world.connect('10.0.0.1').listen({ host: '10.0.0.1', port: 0 }, async () => ({
    status: 200,
    headers: {},
    body: '',
  }));
  const url = `http://10.0.0.1:${port}/`;
  const network = world.connect('a');
  const refused = await post(network, url, (address) => address === '10.0.0.1');
  expect(refused).toMatchObject({ code: 'unavailable', definite: true });
  expect(await post(network, url, () => false)).toBe(200);
});
