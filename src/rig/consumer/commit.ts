// Whether what was written to a file is on stable storage. nfs-cp asks the server
// for that (COMMIT) when it closes the file, and doesn't look at the answer: a disk
// that has just failed goes unnoticed. So it is asked once more. But a kernel tells of
// a failure once: asked again, it may say that there is nothing left to write. So the
// file is touched, which a filesystem that has given up doesn't take, and committed again.

import { connect } from 'node:net';
import { compoundCall, createReceiver, opaque, parseCompoundReply, uint32, uint64 } from './nfs4-wire.ts';

const NFS_PORT = 2049;
const OP = { commit: 5, getattr: 9, lookup: 15, putrootfh: 24, setattr: 34 } as const;
/** Word and bit of the attribute `size`. */
const SIZE = 1 << 4;
/** In the second word: the attribute `time_modify_set`. */
const TIME_MODIFY_SET = 1 << 22;
const SERVERS_TIME = 0;
/** PUTROOTFH and two LOOKUPs of 8 bytes, COMMIT with its verifier, GETATTR with a bitmap of one word, a length. */
const SIZE_AT = 3 * 8 + 16 + 8 + 8 + 4;

/**
 * Rejects unless the server says that all of the file is on stable storage, and that it is of this size: a server
 * that was started anew meanwhile may have lost what it was not told to keep, and commits the rest.
 */
export async function commitFile(file: {
  readonly server: string;
  readonly volume: string;
  readonly file: string;
  /** Who asks. */
  readonly uid: number;
  readonly bytes: number;
  readonly timeoutMs: number;
  /** Default 2049. */
  readonly port?: number;
}): Promise<void> {
  const names = [file.volume, file.file].map((name) => Buffer.concat([uint32(OP.lookup), opaque(name)]));
  // From the beginning to the end.
  const commit = Buffer.concat([uint32(OP.commit), uint64(0), uint32(0)]);
  const anonymous = Buffer.alloc(16);
  const { status, body } = await call(file, [
    uint32(OP.putrootfh),
    ...names,
    commit,
    Buffer.concat([uint32(OP.getattr), uint32(1), uint32(SIZE)]),
    Buffer.concat([
      uint32(OP.setattr),
      anonymous,
      ...[uint32(2), uint32(0), uint32(TIME_MODIFY_SET)],
      opaque(uint32(SERVERS_TIME)),
    ]),
    commit,
  ]);
  if (status !== 0) throw new Error(`COMMIT of ${file.file}: the server answers with NFS status ${status}`);
  const found = Number(body.readBigUInt64BE(SIZE_AT));
  if (found !== file.bytes)
    throw new Error(`COMMIT of ${file.file}: ${found} of ${file.bytes} bytes are there`);
}

async function call(
  {
    server,
    uid,
    timeoutMs,
    port = NFS_PORT,
  }: { readonly server: string; readonly uid: number; readonly timeoutMs: number; readonly port?: number },
  operations: readonly Buffer[],
): Promise<ReturnType<typeof parseCompoundReply>> {
  const socket = connect({ host: server, port });
  const receive = createReceiver(socket);
  socket.setTimeout(timeoutMs, () => socket.destroy());
  try {
    socket.write(compoundCall({ xid: 1, uid, operations }));
    return parseCompoundReply(await receive());
  } finally {
    socket.destroy();
  }
}
