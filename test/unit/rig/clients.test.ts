import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Clients, createClients } from '../../../src/rig/clients.ts';
import type { CallEvent, HistoryEvent } from '../../../src/rig/history.ts';
import { fetchHttp } from '../../../src/rig/http.ts';

describe('a client', () => {
  let recorded: CallEvent[];
  let clients: Clients;
  const server = createServer((request, response) => {
    const status = Number(request.url?.slice(1));
    setTimeout(() => response.writeHead(status).end('{}'), status === 202 ? 50 : 0);
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    recorded = [];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    clients = createClients({
      deployment: { api: async () => url, fetch: fetchHttp } as never,
      journal: { atMs: () => 0, record: (event) => recorded.push(event as HistoryEvent as CallEvent) },
    });
  });
  const put = (status: number) =>
    clients.http({ process: 'work 1', node: 'node1', method: 'PUT', path: `/${status}` });
  const phases = () => recorded.map(({ process, phase }) => `${process}: ${phase}`);

  it('goes on as another process after a call of which nobody knows what became', async () => {
    for (const status of [200, 503, 409, 504, 200]) await put(status);
    expect(phases()).toEqual([
      'work 1: invoke',
      'work 1: ok',
      'work 1: invoke',
      'work 1: info',
      'work 1 (2): invoke',
      'work 1 (2): fail',
      'work 1 (2): invoke',
      'work 1 (2): info',
      'work 1 (3): invoke',
      'work 1 (3): ok',
    ]);
  });

  it('is several processes where it has several calls open', async () => {
    await Promise.all([put(202), put(200)]);
    expect(phases()).toEqual(['work 1: invoke', 'work 1 (2): invoke', 'work 1 (2): ok', 'work 1: ok']);
  });
});
