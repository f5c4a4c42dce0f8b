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
  return Buffer.concat([uint32(0x80000000 + call.length), call]);
}

export interface CompoundReply {
  /** Of the operation that was tried last (nfsstat4). */
  readonly status: number;
  /** The operations' results, one behind the other. */
  readonly body: Buffer;
}

/** Out of a reply whose tag is empty, as that of {@link compoundCall} is. */
export function parseCompoundReply(reply: Buffer): CompoundReply {
  // xid, REPLY, accepted, verifier (flavour, length), accept status; then COMPOUND4res: status, tag, number of results.
  return { status: reply.readUInt32BE(24), body: reply.subarray(36) };
}

const ENDED = 'the server ended the connection';

/** Whole replies, one at a time, out of the stream (RFC 5531, 11: record marking). */
export function createReceiver(socket: Socket): () => Promise<Buffer> {
  let pending = Buffer.alloc(0);
  const waiting: { resolve: (reply: Buffer) => void; reject: (error: Error) => void }[] = [];
  let ended = false;
  const fail = (): void => {
    ended = true;
    for (const { reject } of waiting.splice(0)) reject(new Error(ENDED));
  };
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4) {
      const length = pending.readUInt32BE(0) & 0x7fffffff;
      if (pending.length < 4 + length) return;
      waiting.shift()?.resolve(pending.subarray(4, 4 + length));
      pending = pending.subarray(4 + length);
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
