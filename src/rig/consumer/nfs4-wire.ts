// The bytes of NFSv4.0 calls. Sources: RFC 5531 (RPC), RFC 7530 (NFSv4.0), RFC 7531 (its XDR).

import type { Socket } from 'node:net';

export const uint32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value >>> 0);
  return buffer;
};

export const uint64 = (value: number): Buffer =>
  Buffer.concat([uint32(Math.floor(value / 2 ** 32)), uint32(value)]);

/** Variable-length data: its length, itself, and zeros up to a multiple of four. */
export const opaque = (data: Buffer | string): Buffer => {
  const bytes = Buffer.from(data as string);
  return Buffer.concat([uint32(bytes.length), bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
};

const LAST_FRAGMENT = 0x80000000;

/** One call of COMPOUND as user `uid`, with its record mark. */
export function compoundCall(options: {
  readonly xid: number;
  readonly uid: number;
  readonly operations: readonly Buffer[];
}): Buffer {
  const { xid, uid, operations } = options;
  const credential = Buffer.concat([uint32(0), opaque('rig'), uint32(uid), uint32(uid), uint32(0)]);
  const call = Buffer.concat([
    ...[xid, 0, 2, 100_003, 4, 1, 1].map(uint32),
    opaque(credential),
    ...[0, 0, 0, 0, operations.length].map(uint32),
    ...operations,
  ]);
  return Buffer.concat([uint32(LAST_FRAGMENT + call.length), call]);
}

export interface CompoundReply {
  /** Of the operation that was tried last (nfsstat4). */
  readonly status: number;
  /** The operations' results, one behind the other. */
  readonly body: Buffer;
}

const REPLY = 1;
const HEADER_BYTES = 36;

/** Out of a reply whose tag is empty, as that of {@link compoundCall} is. Throws for one that RPC refused. */
export function parseCompoundReply(reply: Buffer): CompoundReply {
  // xid, REPLY, MSG_ACCEPTED, verifier (flavour, length), SUCCESS; then COMPOUND4res: status, tag, number of results.
  const word = (index: number): number => reply.readUInt32BE(4 * index);
  const isTaken = reply.length >= HEADER_BYTES && word(1) === REPLY && word(2) === 0 && word(5) === 0;
  if (!isTaken)
    throw new Error(`the server refused the call: ${reply.subarray(4, HEADER_BYTES).toString('hex')}`);
  return { status: word(6), body: reply.subarray(HEADER_BYTES) };
}

const ENDED = 'the server ended the connection';

/** Whole replies, one at a time, out of the stream (RFC 5531, 11: record marking). */
export function createReceiver(socket: Socket): () => Promise<Buffer> {
  let pending = Buffer.alloc(0);
  let fragments: Buffer[] = [];
  const waiting: { resolve: (reply: Buffer) => void; reject: (error: Error) => void }[] = [];
  let ended = false;
  const fail = (): void => {
    ended = true;
    for (const { reject } of waiting.splice(0)) reject(new Error(ENDED));
  };
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4) {
      const mark = pending.readUInt32BE(0);
      const end = 4 + (mark & 0x7fffffff);
      if (pending.length < end) return;
      fragments.push(pending.subarray(4, end));
      pending = pending.subarray(end);
      if (mark < LAST_FRAGMENT) continue;
      waiting.shift()?.resolve(Buffer.concat(fragments));
      fragments = [];
    }
  });
  socket.on('error', fail);
  socket.on('close', fail);
  return () =>
    new Promise((resolve, reject) => {
      if (ended) reject(new Error(ENDED));
      else waiting.push({ resolve, reject });
    });
}
