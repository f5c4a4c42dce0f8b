// The least NFSv4.0 client that can ask what a whole one hides: the exact status
// of each operation, from a chosen local address, on a handle that is as old as
// the test wants. Sources: RFC 5531 (RPC), RFC 7530 (NFSv4.0), RFC 7531 (its XDR).

import { connect } from 'node:net';
import {
  compoundCall,
  createReceiver,
  opaque,
  parseCompoundReply,
  uint32,
  uint64,
} from '../../../src/rig/consumer/nfs4-wire.ts';

const OP = { getattr: 9, getfh: 10, lookup: 15, open: 18, openConfirm: 20, putfh: 22 } as const;
const MORE_OP = { putrootfh: 24, read: 25, setclientid: 35, setclientidConfirm: 36, write: 38 } as const;
const STATUS: Readonly<Record<number, string>> = {
  0: 'OK',
  1: 'PERM',
  2: 'NOENT',
  13: 'ACCES',
  28: 'NOSPC',
  30: 'ROFS',
  69: 'DQUOT',
  70: 'STALE',
  10001: 'BADHANDLE',
  10013: 'GRACE',
  10019: 'STALE_CLIENTID',
  10025: 'BAD_STATEID',
};

interface Nfs4Reply {
  /** The status of the compound: of its last operation that was tried. */
  readonly status: string;
  /** The results after the last operation's status. */
  readonly body: Buffer;
}

export interface Nfs4Client {
  /** Looks up `/<export>[/<name>]` from the pseudo root; the handle in hexadecimal on success. */
  lookup(path: string): Promise<{ readonly status: string; readonly handle: string }>;
  getattr(handle: string): Promise<string>;
  /** Opens (and creates) a file for reading and writing; its handle and stateid. */
  open(directory: string, name: string): Promise<{ status: string; handle: string; stateid: string }>;
  read(handle: string, stateid: string): Promise<{ readonly status: string; readonly text: string }>;
  write(handle: string, stateid: string, text: string): Promise<string>;
  close(): void;
}

/** The anonymous stateid: reads and writes without an open file (RFC 7530, 9.1.4.3). */
export const ANONYMOUS = '0'.repeat(32);

/** Connects to port 2049 of 127.0.0.1, as user `uid` (default 0), from `localAddress`. */
export async function connectNfs4(options: {
  readonly localAddress: string;
  readonly uid?: number;
}): Promise<Nfs4Client> {
  const { localAddress, uid = 0 } = options;
  const socket = connect({ host: '127.0.0.1', port: 2049, localAddress });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const receive = createReceiver(socket);
  let xid = 1;
  const compound = async (operations: readonly Buffer[]): Promise<Nfs4Reply> => {
    xid += 1;
    socket.write(compoundCall({ xid, uid, operations }));
    const { status, body } = parseCompoundReply(await receive());
    return { status: STATUS[status] ?? String(status), body };
  };
  const putfh = (handle: string): Buffer =>
    Buffer.concat([uint32(OP.putfh), opaque(Buffer.from(handle, 'hex'))]);
  let clientId: Buffer | undefined;
  let owners = 0;
  const identify = async (): Promise<Buffer> => {
    const owner = opaque(`${localAddress}-${process.pid}-${performance.now()}`);
    const callback = [uint32(0x40000000), opaque('tcp'), opaque('127.0.0.1.0.0'), uint32(1)];
    const set = [uint32(MORE_OP.setclientid), Buffer.alloc(8), owner, ...callback];
    const { status, body } = await compound([Buffer.concat(set)]);
    if (status !== 'OK') throw new Error(`SETCLIENTID: ${status}`);
    const confirm = Buffer.concat([uint32(MORE_OP.setclientidConfirm), body.subarray(8, 24)]);
    const confirmed = await compound([confirm]);
    if (confirmed.status !== 'OK') throw new Error(`SETCLIENTID_CONFIRM: ${confirmed.status}`);
    return body.subarray(8, 16);
  };

  return {
    lookup: async (path) => {
      const names = path.split('/').filter(Boolean);
      const steps = names.map((name) => Buffer.concat([uint32(OP.lookup), opaque(name)]));
      const { status, body } = await compound([uint32(MORE_OP.putrootfh), ...steps, uint32(OP.getfh)]);
      if (status !== 'OK') return { status, handle: '' };
      return { status, handle: opaqueAt(body, 8 * (1 + names.length) + 8).toString('hex') };
    },
    getattr: async (handle) => {
      // The attribute asked for is the type (bit 1), which every object has.
      const attributes = Buffer.concat([uint32(OP.getattr), uint32(1), uint32(2)]);
      return (await compound([putfh(handle), attributes])).status;
    },
    open: async (directory, name) => {
      clientId ??= await identify();
      // An owner for each open, because the sequence starts anew with it.
      const owner = opaque(`owner-${++owners}`);
      // OPEN4_CREATE, UNCHECKED4, with mode (bit 33) 0666; CLAIM_NULL.
      const attributes = Buffer.concat([uint32(2), uint32(0), uint32(2), opaque(uint32(0o666))]);
      const how = Buffer.concat([uint32(1), uint32(0), attributes, uint32(0), opaque(name)]);
      const head = [OP.open, 0, 3, 0].map(uint32);
      const open = Buffer.concat([...head, clientId, owner, how]);
      const opened = await compound([putfh(directory), open, uint32(OP.getfh)]);
      if (opened.status !== 'OK') return { status: opened.status, handle: '', stateid: '' };
      const stateid = opened.body.subarray(16, 32);
      const handle = opaqueAt(opened.body, opened.body.length - handleTail(opened.body)).toString('hex');
      const confirm = Buffer.concat([uint32(OP.openConfirm), stateid, uint32(1)]);
      const confirmed = await compound([putfh(handle), confirm]);
      const last = confirmed.status === 'OK' ? confirmed.body.subarray(16, 32) : stateid;
      return { status: confirmed.status, handle, stateid: last.toString('hex') };
    },
    read: async (handle, stateid) => {
      const read = [uint32(MORE_OP.read), Buffer.from(stateid, 'hex'), uint64(0), uint32(4096)];
      const { status, body } = await compound([putfh(handle), Buffer.concat(read)]);
      return { status, text: status === 'OK' ? opaqueAt(body, 20).toString() : '' };
    },
    write: async (handle, stateid, text) => {
      const FILE_SYNC = 2;
      const head = [uint32(MORE_OP.write), Buffer.from(stateid, 'hex'), uint64(0), uint32(FILE_SYNC)];
      return (await compound([putfh(handle), Buffer.concat([...head, opaque(text)])])).status;
    },
    close: () => socket.destroy(),
  };
}

/** The length of a GETFH result's opaque at the end of a reply: its size is found from behind. */
function handleTail(body: Buffer): number {
  for (let at = body.length - 8; at >= 0; at -= 4) {
    const size = body.readUInt32BE(at);
    const padded = 4 + size + ((4 - (size % 4)) % 4);
    const precededByGetfh =
      at >= 8 && body.readUInt32BE(at - 8) === OP.getfh && body.readUInt32BE(at - 4) === 0;
    if (precededByGetfh && at + padded === body.length) return body.length - at;
  }
  throw new Error('the reply holds no file handle');
}

function opaqueAt(body: Buffer, offset: number): Buffer {
  const length = body.readUInt32BE(offset);
  return body.subarray(offset + 4, offset + 4 + length);
}
