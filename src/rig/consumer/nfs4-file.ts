// A file that is open for writing at an NFSv4.0 server, and what that takes: a client's
// id, an owner with sequence numbers, a stateid. Without (by the anonymous stateid) a
// server opens the file for itself, and nobody knows for how long. Source: RFC 7530.

import { randomUUID } from 'node:crypto';
import { opaque, uint32, uint64 } from './nfs4-wire.ts';

const OP = { close: 4, getfh: 10, lookup: 15, open: 18, openConfirm: 20, putfh: 22, putrootfh: 24 } as const;
const CLIENT_OP = { setclientid: 35, setclientidConfirm: 36 } as const;
/** Of a result, the operation's number and its status. */
export const RESULT_BYTES = 8;
const STATEID_BYTES = 16;
const CLIENT_ID_BYTES = 8;
const CONFIRM_VERIFIER_BYTES = 8;
/** Two change ids, and whether they are atomic. */
const CHANGE_INFO_BYTES = 20;
const SHARE_ACCESS_WRITE = 2;
const OPEN4_RESULT_CONFIRM = 2;
const OPEN4_CREATE = 1;
/** Also where there is one already. */
const UNCHECKED4 = 0;
const CLAIM_NULL = 0;
/** Bit of the attribute `size` in the first word of a bitmap, and of `mode` in the second. */
const SIZE = 1 << 4;
const MODE = 1 << 1;

/** What is done, by its name, and the results of it. Rejects for a status other than 0. */
export type Call = (what: string, operations: readonly Buffer[]) => Promise<Buffer>;

export interface OpenFile {
  /** Makes it the current file of a call (PUTFH). */
  readonly current: Buffer;
  readonly stateid: Buffer;
  /** The server doesn't have it open then; it remembers its client for a lease's time. */
  close(): Promise<void>;
}

/** `/<volume>/<file>`, which is empty then, and made where it isn't there. */
export async function openForWriting(
  call: Call,
  { volume, file }: { readonly volume: string; readonly file: string },
): Promise<OpenFile> {
  // A client for each: its sequence numbers begin anew, also after an OPEN that was put off.
  const clientId = await identify(call);
  const empty = Buffer.concat([uint64(0), uint32(0o660)]);
  const open = [
    ...[OP.open, 0, SHARE_ACCESS_WRITE, 0].map(uint32),
    ...[clientId, opaque('rig')],
    ...[OPEN4_CREATE, UNCHECKED4, 2, SIZE, MODE].map(uint32),
    opaque(empty),
    uint32(CLAIM_NULL),
    opaque(file),
  ];
  const opened = await call('OPEN', [
    uint32(OP.putrootfh),
    Buffer.concat([uint32(OP.lookup), opaque(volume)]),
    Buffer.concat(open),
    uint32(OP.getfh),
  ]);
  const result = opened.subarray(3 * RESULT_BYTES);
  const flags = result.readUInt32BE(STATEID_BYTES + CHANGE_INFO_BYTES);
  const attributesAt = STATEID_BYTES + CHANGE_INFO_BYTES + 4;
  const noDelegation = 4;
  const found = result.subarray(
    attributesAt + 4 + 4 * result.readUInt32BE(attributesAt) + noDelegation + RESULT_BYTES,
  );
  const current = Buffer.concat([uint32(OP.putfh), opaque(found.subarray(4, 4 + found.readUInt32BE(0)))]);
  let stateid = result.subarray(0, STATEID_BYTES);
  let sequence = 0;
  if ((flags & OPEN4_RESULT_CONFIRM) !== 0) {
    sequence += 1;
    const confirm = Buffer.concat([uint32(OP.openConfirm), stateid, uint32(sequence)]);
    stateid = stateidOf(await call('OPEN_CONFIRM', [current, confirm]));
  }
  return {
    current,
    stateid,
    close: async () => {
      await call('CLOSE', [current, Buffer.concat([uint32(OP.close), uint32(sequence + 1), stateid])]);
    },
  };
}

/** After PUTFH and an operation that answers with one. */
const stateidOf = (body: Buffer): Buffer => body.subarray(2 * RESULT_BYTES, 2 * RESULT_BYTES + STATEID_BYTES);

/** A client's id of its own, confirmed. Nobody can call it back. */
async function identify(call: Call): Promise<Buffer> {
  const noCallback = [uint32(0x40000000), opaque('tcp'), opaque('0.0.0.0.0.0'), uint32(1)];
  const set = [uint32(CLIENT_OP.setclientid), Buffer.alloc(8), opaque(randomUUID()), ...noCallback];
  const answered = await call('SETCLIENTID', [Buffer.concat(set)]);
  const given = answered.subarray(RESULT_BYTES, RESULT_BYTES + CLIENT_ID_BYTES + CONFIRM_VERIFIER_BYTES);
  await call('SETCLIENTID_CONFIRM', [Buffer.concat([uint32(CLIENT_OP.setclientidConfirm), given])]);
  return given.subarray(0, CLIENT_ID_BYTES);
}
