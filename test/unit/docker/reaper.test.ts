// The reaper against an engine that only remembers: what would be removed, and when.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { register as ask } from '../../../src/rig/docker/reaper.ts';

const FILTER = '{"label":["run=1","kind=test"]}';
let folder: string;
let engine: Server;
let things: Set<string>;
let reaper: ChildProcess | undefined;

/** Holds a container and a volume for one filter; everything else is empty. */
function rememberingEngine(): Server {
  return createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://engine');
    const id = url.pathname.split('/')[2] ?? '';
    if (request.method === 'DELETE') {
      response.writeHead(things.delete(id) ? 204 : 404).end();
      return;
    }
    const matches = (name: string): boolean => url.searchParams.get('filters') === FILTER && things.has(name);
    const answer: Record<string, unknown> = {
      '/containers/json': matches('c1') ? [{ Id: 'c1' }] : [],
      '/volumes': { Volumes: matches('v1') ? [{ Name: 'v1' }] : null },
    };
    response.end(JSON.stringify(answer[url.pathname] ?? []));
  });
}

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function startReaper(
  environment: Record<string, string>,
): Promise<{ port: number; ended: Promise<unknown> }> {
  const port = await freePort();
  const env = { RYUK_DOCKER_SOCKET: join(folder, 'docker.sock'), RYUK_PORT: String(port), ...environment };
  reaper = spawn(process.execPath, ['images/reaper/reaper.mjs'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(reaper, 'exit');
  const [line] = await once(reaper.stdout as NodeJS.ReadableStream, 'data');
  expect(String(line)).toMatch(/Started/); // What testcontainers waits for.
  return { port, ended };
}

async function register(port: number, line: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.write(line);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toBe('ACK\n');
  return socket;
}

describe('the reaper', () => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'reaper-'));
    things = new Set(['c1', 'v1']);
    engine = rememberingEngine().listen(join(folder, 'docker.sock'));
    await once(engine, 'listening');
  });
  afterEach(() => {
    reaper?.kill('SIGKILL');
    engine.closeAllConnections();
    engine.close();
    rmSync(folder, { recursive: true });
  });

  it('removes what matches once its client is gone, and exits', async () => {
    const { port, ended } = await startReaper({ RYUK_RECONNECTION_TIMEOUT: '50ms' });
    (await register(port, 'label=run%3D1&label=kind=test\r\n')).destroy();
    expect(await ended).toEqual([0, null]);
    expect(things).toEqual(new Set());
  });

  it('removes nothing while one of its clients lives', async () => {
    const { port } = await startReaper({ RYUK_RECONNECTION_TIMEOUT: '1ms' });
    const alive = await register(port, 'label=run=1&label=kind=test\n');
    (await register(port, 'label=other=1\n')).destroy();
    await register(port, 'label=third=1\n'); // Its answer comes after the second's end was seen.
    expect(things).toEqual(new Set(['c1', 'v1']));
    expect(reaper?.exitCode).toBeNull();
    alive.destroy();
  });

  it('removes nothing for other labels', async () => {
    const { port, ended } = await startReaper({ RYUK_RECONNECTION_TIMEOUT: '1ms' });
    (await register(port, 'label=run=2\n')).destroy();
    expect(await ended).toEqual([0, null]);
    expect(things).toEqual(new Set(['c1', 'v1']));
  });

  it('exits when nobody ever connects', async () => {
    const { ended } = await startReaper({ RYUK_CONNECTION_TIMEOUT: '10ms' });
    expect(await ended).toEqual([0, null]);
  });

  it('reaps nothing when it is stopped on purpose', async () => {
    const { port, ended } = await startReaper({});
    await register(port, 'label=run=1&label=kind=test\n');
    reaper?.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(things).toEqual(new Set(['c1', 'v1']));
  });
});

describe('whoever asks the reaper for protection', () => {
  it('is told when it has hung up before', async () => {
    const server = createTcpServer((socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
    await once(socket, 'close');
    await expect(ask(socket, 'label=run=1')).rejects.toThrow('the reaper hung up');
    server.close();
  });
});
