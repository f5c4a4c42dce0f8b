import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createConnection, type Message, messageType } from 'dbus-native';
import { createSystemBus, NotConnectedError } from '../../../src/nfs/system-bus.ts';

const CALL = { destination: 'a.b', path: '/a', interface: 'a.b', member: 'Ask' } as const;
const TIMEOUT_MS = 2_000;

let folder: string;
let server: Server;
/** The members that were called, by connection. */
let called: string[][];
let sockets: Socket[];
/** The calls that nobody answers. */
let unanswered: (member: string, connection: number) => boolean;

const open = () => createSystemBus({ timeoutMs: TIMEOUT_MS, socket: join(folder, 'bus') });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cobalt-bus-'));
  called = [];
  sockets = [];
  unanswered = () => false;
  server = createServer((stream) => {
    const members: string[] = [];
    const index = called.push(members) - 1;
    sockets.push(stream);
    const connection = createConnection({ stream, server: true });
    connection.on('error', () => stream.destroy());
    connection.on('message', ({ serial = 0, member = '' }: Message) => {
      members.push(member);
      if (unanswered(member, index)) return;
      const answer = { signature: 's', body: [`to ${member} on ${index}`] };
      connection.message({ type: messageType.methodReturn, serial: 1, replySerial: serial, ...answer });
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'bus'), resolve));
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the system bus', () => {
  it('is one connection for all calls, also those that are made at once', async () => {
    const bus = open();
    expect(await Promise.all([bus.call(CALL), bus.call(CALL)])).toEqual([['to Ask on 0'], ['to Ask on 0']]);
    expect(await bus.call(CALL)).toEqual(['to Ask on 0']);
    expect(called).toEqual([['Hello', 'Ask', 'Ask', 'Ask']]);
  });

  it('does not go on with a connection on which nobody has answered: a bus has each wait for 128 answers at most', async () => {
    const bus = open();
    unanswered = (member, connection) => member === 'Ask' && connection === 0;
    await expect(bus.call(CALL)).rejects.toMatchObject({ dbusName: 'org.freedesktop.DBus.Error.NoReply' });
    expect(await bus.call(CALL)).toEqual(['to Ask on 1']);
    expect(called).toEqual([
      ['Hello', 'Ask'],
      ['Hello', 'Ask'],
    ]);
  });

  it('says of a call under which the connection is lost that nobody knows, and connects again', async () => {
    const bus = open();
    unanswered = (member, connection) => {
      if (member === 'Ask' && connection === 0) sockets[0]?.destroy();
      return false;
    };
    const lost = { dbusName: 'org.freedesktop.DBus.Error.Disconnected' };
    await expect(bus.call(CALL)).rejects.toMatchObject(lost);
    expect(await bus.call(CALL)).toEqual(['to Ask on 1']);
  });

  it('says that a call was not made where nobody greets in time, or nobody is there', async () => {
    const bus = open();
    unanswered = (_, connection) => connection === 0;
    await expect(bus.call(CALL)).rejects.toThrow(NotConnectedError);
    expect(called).toEqual([['Hello']]);
    expect(await bus.call(CALL)).toEqual(['to Ask on 1']);
    const nobody = createSystemBus({ timeoutMs: TIMEOUT_MS, socket: join(folder, 'nobody') });
    await expect(nobody.call(CALL)).rejects.toThrow(/ENOENT/);
    await expect(nobody.call(CALL)).rejects.toThrow(NotConnectedError);
  });
});
