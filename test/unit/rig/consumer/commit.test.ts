// What a consumer makes of the server's answer to COMMIT.

import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { commitFile } from '../../../../src/rig/consumer/commit.ts';
import { uint32, uint64 } from '../../../../src/rig/consumer/nfs4-wire.ts';

const OK = uint32(0);
const IO = 5;

let server: Server | undefined;

afterEach(() => void server?.close());

/** A server that answers every call so, in two pieces, or hangs up. */
async function serverSaying(reply: Buffer | undefined): Promise<number> {
  const listening = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      if (reply === undefined) {
        socket.destroy();
        return;
      }
      socket.write(reply.subarray(0, 10));
      socket.write(reply.subarray(10));
    });
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return (listening.address() as { port: number }).port;
}

/** RPC's header, COMPOUND4res, and its results (RFC 7530, 16.2 and 16.5). */
function replyOf(status: number, results: readonly Buffer[]): Buffer {
  const header = [1, 1, 0, 0, 0, 0, status, 0, results.length].map(uint32);
  const reply = Buffer.concat([...header, ...results]);
  return Buffer.concat([uint32(0x80000000 + reply.length), reply]);
}

const lookups = [24, 15, 15].map((op) => Buffer.concat([uint32(op), OK]));
const committed = Buffer.concat([uint32(5), OK, Buffer.from('verifier')]);
const size = (bytes: number): Buffer =>
  Buffer.concat([uint32(9), OK, uint32(1), uint32(16), uint32(8), uint64(bytes)]);

const ask = (port: number): Promise<void> =>
  commitFile({
    server: '127.0.0.1',
    port,
    volume: 'v0123456789abcdef',
    file: 'f',
    uid: 0,
    bytes: 300,
    timeoutMs: 5_000,
  });

it('takes a file for durable once the server has committed all of it', async () => {
  await expect(
    ask(await serverSaying(replyOf(0, [...lookups, committed, size(300)]))),
  ).resolves.toBeUndefined();
});

it('takes nothing for durable that the server cannot commit, has not all of, or says nothing of', async () => {
  const failed = replyOf(IO, [...lookups, Buffer.concat([uint32(5), uint32(IO)])]);
  await expect(ask(await serverSaying(failed))).rejects.toThrow('NFS status 5');
  server?.close();
  const short = replyOf(0, [...lookups, committed, size(0)]);
  await expect(ask(await serverSaying(short))).rejects.toThrow('0 of 300 bytes');
  server?.close();
  await expect(ask(await serverSaying(undefined))).rejects.toThrow('ended the connection');
});
