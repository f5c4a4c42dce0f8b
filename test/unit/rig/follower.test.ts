import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import type { Deployment } from '../../../src/rig/deployment.ts';
import { type Follower, startFollower } from '../../../src/rig/follower.ts';
import { fetchHttp } from '../../../src/rig/http.ts';
import { type OpenJournal, openJournal } from '../../../src/rig/journal.ts';
import { HISTORY_FILE } from '../../../src/rig/record-files.ts';

const V = 'v00000000000000a1';
const ADDRESS = '10.0.0.11';

/** An event that tells a host what to do with the volume, and where it is. */
const event = (revision: number, action: string, server: string | null, host = ADDRESS): string => {
  const mount = server === null ? null : { server, path: `/${V}`, options: '' };
  const clients = [{ host, action, access: 'rw', squash: 'none' }];
  const data = { kind: 'export', revision, volume: V, exports: [], mount, clients };
  return `id: ${revision}\nevent: export\ndata: ${JSON.stringify(data)}\n\n`;
};

describe('a consumer that follows the events', () => {
  const clock = createSystemClock();
  let folder: string;
  let journal: OpenJournal;
  let follower: Follower;
  let streams: { readonly request: IncomingMessage; readonly response: ServerResponse }[];
  const server = createServer((request, response) => {
    streams.push({ request, response });
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'follower-'));
    journal = openJournal({ clock, folder });
    streams = [];
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const deployment = { api: async () => url, fetch: fetchHttp } as unknown as Deployment;
    const nodes = ['node1', 'node2'];
    follower = startFollower({ clock, journal, deployment, consumer: 'consumer1', address: ADDRESS, nodes });
    await follower.opened;
  });

  afterEach(async () => {
    await follower.end();
    journal[Symbol.dispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const recorded = (): readonly { readonly phase?: string }[] => {
    const lines = readFileSync(join(folder, HISTORY_FILE), 'utf8').trim().split('\n');
    return lines.map((line) => JSON.parse(line));
  };
  const until = (what: string, holds: () => boolean) =>
    waitFor({ clock, what, timeoutMs: 5_000, probe: async () => (holds() ? true : undefined) });

  it('mounts volumes where it is told to, and nowhere else', async () => {
    expect(follower.serverOf(V, 'node1')).toBe('node1');
    // Where etcd says that it is now is of no use to a consumer that wasn't told.
    expect(follower.serverOf(V, 'node2')).toBe('node1');
    streams[0]?.response.write(event(5, 'remount', 'node3', '10.0.0.12') + event(6, 'remount', 'node2'));
    await until('the instruction', () => follower.told.length > 0);
    expect(follower.told).toMatchObject([{ volume: V, action: 'remount', server: 'node2', revision: 6 }]);
    expect(follower.serverOf(V, 'node1')).toBe('node2');
    streams[0]?.response.write(event(7, 'unmount', null));
    await until('the instruction', () => follower.told.length > 1);
    expect(follower.serverOf(V, 'node1')).toBeNull();
  });

  it('goes on at the next node from the last event that it heard, and records both', async () => {
    streams[0]?.response.write(event(5, 'mount', 'node1'));
    await until('the instruction', () => follower.told.length > 0);
    streams[0]?.response.destroy();
    await until('the next stream', () => recorded().filter(({ phase }) => phase === 'open').length > 1);
    expect(streams[0]?.request.headers['last-event-id']).toBeUndefined();
    expect(streams[1]?.request.headers['last-event-id']).toBe('5');
    await follower.end();
    expect(recorded()).toMatchObject([
      { type: 'follow', phase: 'open', node: 'node1' },
      { type: 'told', consumer: 'consumer1', id: '5', event: 'export', data: { revision: 5 } },
      { type: 'follow', phase: 'lost', node: 'node1', lastEventId: '5' },
      { type: 'follow', phase: 'open', node: 'node2', lastEventId: '5' },
      { type: 'follow', phase: 'end', node: 'node2' },
    ]);
  });
});
