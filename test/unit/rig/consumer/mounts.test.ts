// What a consumer does with what it has mounted, against an agent that is played.

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { createLog } from '../../../../src/base/log.ts';
import { waitFor } from '../../../../src/base/retry.ts';
import { AgentFailure, askOnce, connectAgent } from '../../../../src/rig/consumer/agent-client.ts';
import { createMounts, type Kernel, type Mounts } from '../../../../src/rig/consumer/mounts.ts';
import { answerOf, createOpenFiles } from '../../../../src/rig/consumer/open-files.ts';
import type { Action } from '../../../../src/rig/instructions.ts';

const VOLUME = 'v0123456789abcdef';
const clock = createSystemClock();

describe('the mounts of a consumer', () => {
  let agent: Server;
  let kernel: Kernel;
  let asked: string[][];
  let lines: string[];
  let mounts: Mounts;
  /** What the agent answers, by the request; undefined: nothing. */
  let answer: (words: readonly string[]) => string | undefined;
  const sockets = new Set<Socket>();

  beforeEach(async () => {
    asked = [];
    lines = [];
    answer = () => 'ok 0\n';
    agent = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.write('4711\n');
      socket.on('data', (chunk) => {
        const [line = ''] = chunk.toString('latin1').split('\n');
        const words = line.split(' ').map(decodeURIComponent);
        asked.push(words);
        const said = answer(words);
        if (said !== undefined) socket.write(said);
      });
    });
    await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve));
    kernel = { clock, port: (agent.address() as AddressInfo).port, by: 'vm (tcg)' };
    const log = createLog({ write: (line) => void lines.push(line), nowMs: clock.nowMs });
    mounts = createMounts({ clock, log });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => agent.close(resolve));
  });

  const mount = (at = '/mnt/a', volume = VOLUME) =>
    mounts.mount(kernel, { volume, server: 'localhost', at, follow: ['node1'] });
  const tell = (action: Action, server: string | null) =>
    mounts.hear({ volume: VOLUME, action, server, revision: 1, atMs: 0 });
  const done = () => mounts.changes().map(({ did, server, why }) => `${did} ${server} ${why}`);
  const until = (count: number) =>
    waitFor({
      clock,
      what: `${count} changes`,
      timeoutMs: 5_000,
      intervalMs: 5,
      probe: async () => (mounts.changes().length >= count ? true : undefined),
      describe: () => done().join(', '),
    });

  it('are made by mount(8), hard where nobody says otherwise, and told in the log', async () => {
    expect(await mount()).toEqual({
      volume: VOLUME,
      at: '/mnt/a',
      server: 'localhost',
      options: 'hard',
      by: 'vm (tcg)',
    });
    const options = 'vers=4.1,proto=tcp,hard,addr=127.0.0.1';
    expect(asked).toEqual([['mount', `127.0.0.1:/${VOLUME}`, '/mnt/a', options]]);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ event: 'mount.mounted', why: 'asked' }]);
  });

  it('are not made twice, nor over another', async () => {
    await mount();
    await expect(mount('/mnt/b')).rejects.toThrow(`${VOLUME} is mounted at /mnt/a already, from localhost`);
    await expect(mount('/mnt/a', 'v00000000000000ff')).rejects.toThrow(`/mnt/a has ${VOLUME}`);
  });

  it('follow the volume to where the consumer is told that it is', async () => {
    await mount();
    tell('remount', '127.0.0.1');
    await until(3);
    expect(done()).toEqual([
      'mounted localhost asked',
      'unmounted null told to remount',
      'mounted 127.0.0.1 told to remount',
    ]);
    expect(mounts.list()).toMatchObject([{ server: '127.0.0.1' }]);
  });

  it('end with the permission, and come back with it', async () => {
    await mount();
    tell('unmount', null);
    tell('mount', 'localhost');
    await until(3);
    expect(done().slice(1)).toEqual(['unmounted null told to unmount', 'mounted localhost told to mount']);
  });

  it('stay as they are where the consumer is told to have what it has', async () => {
    await mount();
    tell('mount', 'localhost');
    tell('unmount', null);
    await until(2);
    expect(done().slice(1)).toEqual(['unmounted null told to unmount']);
  });

  it('say what went wrong, and can be told again', async () => {
    await mount();
    answer = ([verb]) => (verb === 'mount' ? 'failed EACCES 6\ndenied' : 'ok 0\n');
    tell('remount', 'localhost');
    await until(3);
    expect(mounts.changes().at(-1)).toMatchObject({ did: 'failed', error: 'EACCES: denied' });
    expect(mounts.list()).toMatchObject([{ server: null }]);
    answer = () => 'ok 0\n';
    tell('mount', 'localhost');
    await until(4);
    expect(mounts.list()).toMatchObject([{ server: 'localhost' }]);
  });

  it('heed nothing any more once somebody has unmounted them', async () => {
    await mount();
    await mounts.unmount(VOLUME);
    tell('mount', 'localhost');
    await expect(mounts.unmount(VOLUME)).rejects.toThrow(`${VOLUME} is not mounted`);
    expect(done()).toEqual(['mounted localhost asked', 'unmounted null asked']);
  });

  it('have files that stay open over failures, until the volume is mounted anew', async () => {
    await mount();
    const files = createOpenFiles({ clock, mounts });
    const write = () =>
      files.perform({
        kind: 'nfs-write',
        volume: VOLUME,
        file: 'f',
        content: 'c',
        bytes: 4,
        timeoutMs: 5_000,
      });
    expect(await write()).toMatchObject({ outcome: 'ok' });
    answer = ([verb]) => (verb === 'write' ? 'failed ESTALE 5\nstale' : 'ok 0\n');
    expect(await write()).toEqual({ outcome: 'unknown', detail: 'ESTALE: stale', server: 'localhost' });
    expect(await write()).toEqual({ outcome: 'unknown', detail: 'ESTALE: stale', server: 'localhost' });
    tell('remount', 'localhost');
    await until(4);
    answer = () => 'ok 0\n';
    expect(await write()).toMatchObject({ outcome: 'ok' });
    expect(asked.filter(([verb]) => verb === 'open')).toHaveLength(2);
    await mounts.unmount(VOLUME);
    answer = () => 'failed EIO 2\nio';
    await write();
    expect(await write()).toEqual({ outcome: 'failed', detail: 'it is not mounted' });
  });

  it('kill what waits for a server that is silent, on a connection of its own', async () => {
    answer = ([verb]) => (verb === 'read' ? undefined : 'ok 0\n');
    const connection = await connectAgent(kernel);
    await expect(connection.ask(['read', '1'], { timeoutMs: 20 })).rejects.toThrow('no answer within 20 ms');
    await waitFor({
      clock,
      what: 'the process to be killed',
      timeoutMs: 5_000,
      probe: async () => asked.find(([verb]) => verb === 'kill'),
    });
    expect(asked.at(-1)).toEqual(['kill', '4711']);
  });

  it('run commands, and keep apart what those write', async () => {
    answer = () => 'out 3\nabcerr 2\nx\nout 1\ndok 1\n7';
    const found = await askOnce(kernel, ['run', 'sh', '-c', 'echo "a b"', '']);
    expect([found.answer, found.stdout, found.stderr].map(String)).toEqual(['7', 'abcd', 'x\n']);
    expect(asked).toEqual([['run', 'sh', '-c', 'echo "a b"', '']]);
  });
});

describe('an operation on an open file that failed', () => {
  const of = (
    errno: string,
    kind: 'nfs-read' | 'nfs-write',
    { isOpen = true, isMounted = true }: { readonly isOpen?: boolean; readonly isMounted?: boolean } = {},
  ) => answerOf(new AgentFailure(errno, ''), { kind, isOpen, isMounted });

  it.each([
    ['is refused where the server denies it', of('EACCES', 'nfs-read'), { outcome: 'refused' }],
    ['may have happened in part, refused', of('EROFS', 'nfs-write'), { outcome: 'unknown', refused: true }],
    ['touched nothing', of('EROFS', 'nfs-write', { isOpen: false }), { outcome: 'refused' }],
    ['may have happened', of('ESTALE', 'nfs-write'), { outcome: 'unknown' }],
    ['found nothing out', of('ESTALE', 'nfs-read'), { outcome: 'failed' }],
    ['found no room', of('EDQUOT', 'nfs-write'), { outcome: 'unknown', full: true }],
    ['found no such file', of('ENOENT', 'nfs-read', { isOpen: false }), { outcome: 'failed', absent: true }],
  ])('%s', (_, found, expected) => {
    expect({ ...found, detail: undefined }).toEqual({ ...expected, detail: undefined });
  });

  it('tells nothing of a file where the volume came or went meanwhile', () => {
    expect(of('ENOENT', 'nfs-read', { isOpen: false, isMounted: false }).absent).toBeUndefined();
  });
});
