// Calls to the API: whoever answers, and what a refusal says.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { callApi } from '../../../src/cli/api.ts';
import type { ChosenCluster } from '../../../src/cli/clusters.ts';

const servers: Server[] = [];
const asked: string[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((done) => server.close(done));
  asked.length = 0;
});

/** A node that answers so; its port. */
async function answering(name: string, status: number, body?: unknown): Promise<number> {
  const server = createServer((request, response) => {
    asked.push(`${name} ${request.method} ${request.url}`);
    response.statusCode = status;
    response.end(body === undefined ? '' : JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

const cluster = (ports: readonly (number | undefined)[]): ChosenCluster => ({
  label: 'test',
  runId: 'up-test',
  folder: 'runs/up-test',
  docker: undefined as never,
  members: ports.map((port, index) => ({
    name: `node${index + 1}`,
    container: '',
    address: undefined,
    state: port === undefined ? 'exited' : 'running',
    ports: new Map(port === undefined ? [] : [[8080, port]]),
  })),
});

/** A port at which nobody listens, any more. */
async function dead(): Promise<number> {
  const port = await answering('dead', 200);
  await new Promise((done) => servers.pop()?.close(done));
  return port;
}

const UNAVAILABLE = { error: { code: 'unavailable', message: 'etcd does not answer' } };

describe('a call to the API', () => {
  it('goes to the next node where one is dead, or can not read', async () => {
    const ports = [
      undefined,
      await dead(),
      await answering('c', 503, UNAVAILABLE),
      await answering('d', 200, { ok: 1 }),
    ];
    const { body } = await callApi(cluster(ports), { path: '/volumes' });
    expect(body).toEqual({ ok: 1 });
    expect(asked).toEqual(['c GET /volumes', 'd GET /volumes']);
  });

  it('asks nobody twice for a change that may have been made', async () => {
    const ports = [await dead(), await answering('b', 503, UNAVAILABLE), await answering('c', 202, {})];
    const call = callApi(cluster(ports), { method: 'POST', path: '/volumes', body: {} });
    await expect(call).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('was answered 503: etcd does not answer'),
    });
    expect(asked.filter((call) => !call.endsWith('/readyz'))).toEqual(['b POST /volumes']);
  });

  it('asks for a change whoever says that it is ready, though another one takes connections', async () => {
    const ports = [await answering('a', 503, UNAVAILABLE), await answering('b', 200, {})];
    await callApi(cluster(ports), { method: 'POST', path: '/volumes', body: {} });
    expect(asked.filter((call) => !call.endsWith('/readyz'))).toEqual(['b POST /volumes']);
  });

  it('says what the API says of a refusal, and what stands in the way', async () => {
    const error = {
      message: 'refused',
      fields: [{ path: 'name', message: 'is missing' }],
      volumes: ['v1'],
      used_bytes: 7,
    };
    const ports = [await answering('a', 409, { error })];
    await expect(callApi(cluster(ports), { method: 'DELETE', path: '/x' })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/409: refused; 'name' is missing; in the way: v1; it holds 7 bytes$/),
    });
  });

  it('says that nobody runs, or that nobody is called so', async () => {
    await expect(callApi(cluster([undefined]), { path: '/nodes' })).rejects.toMatchObject({
      message: "no node of cluster 'test' runs that has an API",
    });
    await expect(callApi(cluster([await dead()]), { path: '/nodes', via: 'node7' })).rejects.toMatchObject({
      message: "cluster 'test' has no member 'node7'",
      next: 'Choose one of node1.',
    });
  });
});
