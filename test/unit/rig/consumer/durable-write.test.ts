// What a consumer makes of the server's answers to LOOKUP, WRITE and COMMIT.

import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { writeDurably } from '../../../../src/rig/consumer/durable-write.ts';
import { opaque, uint32, uint64 } from '../../../../src/rig/consumer/nfs4-wire.ts';
import { answerOfFailure } from '../../../../src/rig/consumer/refusal.ts';

const OK = uint32(0);
const STATUS = { noent: 2, io: 5, rofs: 30, dquot: 69, grace: 10013 };
const BYTES = 300_000;

let server: Server | undefined;

afterEach(() => void server?.close());

/** A server that gives these answers in turn, each in two pieces, and then hangs up. */
async function serverSaying(replies: readonly Buffer[]): Promise<number> {
  const listening = createServer((socket) => {
    let pending = Buffer.alloc(0);
    let answered = 0;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      pending = Buffer.concat([pending, data]);
      while (pending.length >= 4) {
        const end = 4 + (pending.readUInt32BE(0) & 0x7fffffff);
        if (pending.length < end) return;
        pending = pending.subarray(end);
        const reply = replies[answered++];
        if (reply === undefined) return void socket.destroy();
        socket.write(reply.subarray(0, 10));
        socket.write(reply.subarray(10));
      }
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

const result = (operation: number, ...parts: readonly Buffer[]): Buffer =>
  Buffer.concat([uint32(operation), OK, ...parts]);
const failed = (operation: number, status: number): Buffer =>
  replyOf(status, [result(22), Buffer.concat([uint32(operation), uint32(status)])]);

const stateid = Buffer.alloc(16, 7);
const TO_BE_CONFIRMED = uint32(2);
const OPENED = [
  replyOf(0, [result(35, Buffer.alloc(16, 1))]),
  replyOf(0, [result(36)]),
  replyOf(0, [
    ...[result(24), result(15)],
    // Change info, flags, no attribute set, no delegation.
    result(18, stateid, Buffer.alloc(20), TO_BE_CONFIRMED, uint32(0), uint32(0)),
    result(10, opaque('a handle')),
  ]),
  replyOf(0, [result(22), result(20, stateid)]),
];
const CLOSED = replyOf(0, [result(22), result(4, stateid)]);
const written = (bytes: number, verifier = 'verifier'): Buffer =>
  replyOf(0, [result(22), result(38, uint32(bytes), uint32(0), Buffer.from(verifier))]);
/** Of a file of two chunks. */
const WRITTEN = [written(256 * 1024), written(BYTES - 256 * 1024)];
const committed = (verifier = 'verifier', bytes = BYTES): Buffer =>
  replyOf(0, [
    result(22),
    result(5, Buffer.from(verifier)),
    result(9, uint32(1), uint32(16), opaque(uint64(bytes))),
  ]);

async function writeTo(replies: readonly Buffer[]): Promise<void> {
  const port = await serverSaying(replies);
  const at = { server: '127.0.0.1', port, volume: 'v0123456789abcdef', file: 'f', uid: 0 };
  try {
    await writeDurably({ ...at, content: Buffer.alloc(BYTES), timeoutMs: 5_000 });
  } finally {
    server?.close();
  }
}

it('takes a file for durable once the server has committed all of it, whatever comes of CLOSE', async () => {
  await expect(writeTo([...OPENED, ...WRITTEN, committed(), CLOSED])).resolves.toBeUndefined();
  await expect(writeTo([...OPENED, ...WRITTEN, committed()])).resolves.toBeUndefined();
});

it('waits for a server that was started anew to let it in, as another client each time', async () => {
  const [set, confirm, ...rest] = OPENED as [Buffer, Buffer, Buffer, Buffer];
  const grace = replyOf(STATUS.grace, [
    result(24),
    result(15),
    Buffer.concat([uint32(18), uint32(STATUS.grace)]),
  ]);
  await expect(
    writeTo([set, confirm, grace, set, confirm, ...rest, ...WRITTEN, committed(), CLOSED]),
  ).resolves.toBeUndefined();
});

it('reads replies that come in fragments, and refuses one that RPC denies', async () => {
  const [first, ...rest] = OPENED as [Buffer, Buffer, Buffer, Buffer];
  const body = first.subarray(4);
  const inTwo = Buffer.concat([
    uint32(7),
    body.subarray(0, 7),
    uint32(0x80000000 + body.length - 7),
    body.subarray(7),
  ]);
  await expect(writeTo([inTwo, ...rest, ...WRITTEN, committed(), CLOSED])).resolves.toBeUndefined();
  const denied = Buffer.concat([uint32(0x80000000 + 20), ...[1, 1, 1, 1, 5].map(uint32)]);
  await expect(writeTo([denied])).rejects.toThrow('the server refused the call');
});

it('takes nothing for durable whose COMMIT failed, or was never answered', async () => {
  await expect(writeTo([...OPENED, ...WRITTEN, failed(5, STATUS.io)])).rejects.toThrow(
    'COMMIT of f: NFS4ERR_IO',
  );
  await expect(writeTo([...OPENED, ...WRITTEN])).rejects.toThrow('ended the connection');
  await expect(writeTo([])).rejects.toThrow('ended the connection');
});

it('takes nothing for durable that another server took than the one that committed', async () => {
  await expect(writeTo([...OPENED, ...WRITTEN, committed('anew....')])).rejects.toThrow('started anew');
  const [first = CLOSED] = WRITTEN;
  const second = written(BYTES - 256 * 1024, 'anew....');
  await expect(writeTo([...OPENED, first, second, committed('anew....')])).rejects.toThrow('started anew');
});

it('takes nothing for durable that the server has not all of', async () => {
  await expect(writeTo([...OPENED, written(256 * 1024), written(9), committed()])).rejects.toThrow(
    `the server took ${256 * 1024 + 9} of ${BYTES} bytes`,
  );
  await expect(writeTo([...OPENED, ...WRITTEN, committed('verifier', 0)])).rejects.toThrow(
    '0 of 300000 bytes',
  );
});

it('says in the words of libnfs why nothing more was taken', async () => {
  const full = writeTo([...OPENED, failed(38, STATUS.dquot), failed(38, STATUS.dquot)]);
  await expect(full).rejects.toMatchObject({ stderr: 'WRITE of f: NFS4ERR_DQUOT' });
});

it('says in the words of libnfs that nobody lets it in, before anything was touched', async () => {
  const [set, confirm] = OPENED as [Buffer, Buffer];
  const unseen = replyOf(STATUS.noent, [result(24), Buffer.concat([uint32(15), uint32(STATUS.noent)])]);
  const readOnly = replyOf(STATUS.rofs, [
    ...[result(24), result(15)],
    Buffer.concat([uint32(18), uint32(STATUS.rofs)]),
  ]);
  for (const refusal of [unseen, readOnly]) {
    const error: unknown = await writeTo([set, confirm, refusal]).catch((thrown: unknown) => thrown);
    expect(answerOfFailure('nfs-write', error)).toMatchObject({ outcome: 'refused' });
  }
});

it('gives up when its time is over', async () => {
  const silent = createServer(() => undefined);
  server = silent;
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const at = { server: '127.0.0.1', port, volume: 'v0123456789abcdef', file: 'f', uid: 0 };
  await expect(writeDurably({ ...at, content: Buffer.alloc(1), timeoutMs: 50 })).rejects.toThrow(
    'ended the connection',
  );
});
