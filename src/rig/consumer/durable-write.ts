// Writes a file and sees for itself what the server says of it. libnfs's nfs-cp asks the
// server to bring what it wrote to stable storage (COMMIT) when it closes the file, and
// doesn't look at the answer; to ask once more is no use, for a kernel tells of a failed
// write-back once; and it can't write a file that is there.

import { connect } from 'node:net';
import { createSystemClock } from '../../base/clock.ts';
import { type Call, type OpenFile, openForWriting, RESULT_BYTES } from './nfs4-file.ts';
import { compoundCall, createReceiver, opaque, parseCompoundReply, uint32, uint64 } from './nfs4-wire.ts';

const NFS_PORT = 2049;
const OP = { commit: 5, getattr: 9, write: 38 } as const;
/** The server may keep it in memory until COMMIT. */
const UNSTABLE = 0;
const CHUNK_BYTES = 256 * 1024;
/** Calls that are on their way at once. */
const WINDOW = 8;
const VERIFIER_BYTES = 8;
/** Word and bit of the attribute `size`. */
const SIZE = 1 << 4;
/** Those that tell what became of the bytes (RFC 7530, 13.1). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'NFS4ERR_PERM'],
  [2, 'NFS4ERR_NOENT'],
  [5, 'NFS4ERR_IO'],
  [13, 'NFS4ERR_ACCESS'],
  [28, 'NFS4ERR_NOSPC'],
  [30, 'NFS4ERR_ROFS'],
  [69, 'NFS4ERR_DQUOT'],
  [70, 'NFS4ERR_STALE'],
  [10008, 'NFS4ERR_DELAY'],
  [10013, 'NFS4ERR_GRACE'],
  [10016, 'NFS4ERR_WRONGSEC'],
]);
const TRY_AGAIN: ReadonlySet<number> = new Set([10008, 10013]);
const AGAIN_AFTER_MS = 200;

const clock = createSystemClock();

export interface DurableWrite {
  readonly server: string;
  readonly volume: string;
  readonly file: string;
  /** Who writes. */
  readonly uid: number;
  readonly content: Buffer;
  /** For all of it. */
  readonly timeoutMs: number;
  /** Default 2049. */
  readonly port?: number;
}

/**
 * Rejects unless the server says that all of it is on stable storage, and that it was the same
 * server all along: one that was started anew has lost what it was not told to keep, and commits the rest.
 */
export async function writeDurably(write: DurableWrite): Promise<void> {
  const { server, port = NFS_PORT, timeoutMs } = write;
  const signal = AbortSignal.timeout(timeoutMs);
  const socket = connect({ host: server, port, signal });
  const call = caller(socket, write);
  try {
    const open = await openedInTime(call, write, signal);
    try {
      await transfer(call, open, write);
    } catch (error) {
      // What is left open keeps its volume from being unmounted for as long as the server waits for its client.
      await open.close().catch(() => undefined);
      throw error;
    }
    // It is durable, whatever comes now.
    await open.close().catch(() => undefined);
  } finally {
    socket.destroy();
  }
}

/** A server that was started anew lets nobody in who comes first, in case that those of before come back (its grace). */
async function openedInTime(call: Call, write: DurableWrite, signal: AbortSignal): Promise<OpenFile> {
  for (;;) {
    try {
      return await openForWriting(call, write);
    } catch (error) {
      if (!TRY_AGAIN.has((error as { readonly status?: number }).status ?? 0)) throw error;
      await clock.sleep(AGAIN_AFTER_MS, signal);
    }
  }
}

function caller(socket: ReturnType<typeof connect>, { uid, file }: DurableWrite): Call {
  const receive = createReceiver(socket);
  let xid = 0;
  return async (what, operations) => {
    xid += 1;
    socket.write(compoundCall({ xid, uid, operations }));
    const { status, body } = parseCompoundReply(await receive());
    if (status !== 0) throw failure(`${wordsOf(what, status)} ${file}: ${nameOf(status)}`, status);
    return body;
  };
}

const NOENT = 2;
const nameOf = (status: number): string => NAMES.get(status) ?? `NFS status ${status}`;

/** libnfs's own words for what comes before anything is touched (refusal.ts): an export that isn't seen, a file that can't be opened. */
const wordsOf = (what: string, status: number): string => {
  if (what !== 'OPEN') return `${what} of`;
  return status === NOENT ? 'Failed to mount nfs share of' : 'Failed to open file';
};

async function transfer(call: Call, open: OpenFile, { content, file }: DurableWrite): Promise<void> {
  const verifiers: string[] = [];
  for (let at = 0; at < content.length; at += WINDOW * CHUNK_BYTES) {
    const window = content.subarray(at, at + WINDOW * CHUNK_BYTES);
    verifiers.push(...(await writeWindow(call, open, { at, window })));
  }
  const { verifier, sizeBytes } = await commit(call, open);
  if (verifiers.some((taken) => taken !== verifier))
    throw failure(`COMMIT of ${file}: the server was started anew, and may have lost what it had taken`);
  if (sizeBytes !== content.length)
    throw failure(`COMMIT of ${file}: ${sizeBytes} of ${content.length} bytes are there`);
}

/** The verifiers of the server that took the bytes. */
async function writeWindow(
  call: Call,
  { current, stateid }: OpenFile,
  { at, window }: { readonly at: number; readonly window: Buffer },
): Promise<readonly string[]> {
  const calls: Promise<Buffer>[] = [];
  for (let from = 0; from < window.length; from += CHUNK_BYTES) {
    const head = [uint32(OP.write), stateid, uint64(at + from), uint32(UNSTABLE)];
    const chunk = opaque(window.subarray(from, from + CHUNK_BYTES));
    calls.push(call('WRITE', [current, Buffer.concat([...head, chunk])]));
  }
  // In whatever order they were answered: how much was written, how durably, and by whom.
  const results = (await Promise.all(calls)).map((body) => body.subarray(2 * RESULT_BYTES));
  const bytes = results.reduce((sum, result) => sum + result.readUInt32BE(0), 0);
  if (bytes !== window.length) throw failure(`WRITE: the server took ${bytes} of ${window.length} bytes`);
  return results.map((result) => verifierAt(result, 8));
}

async function commit(call: Call, { current }: OpenFile) {
  const fromBeginningToEnd = Buffer.concat([uint32(OP.commit), uint64(0), uint32(0)]);
  const getSize = Buffer.concat([uint32(OP.getattr), uint32(1), uint32(SIZE)]);
  const done = await call('COMMIT', [current, fromBeginningToEnd, getSize]);
  const size = done.subarray(done.length - 8);
  return { verifier: verifierAt(done, 2 * RESULT_BYTES), sizeBytes: Number(size.readBigUInt64BE(0)) };
}

const verifierAt = (body: Buffer, at: number): string =>
  body.subarray(at, at + VERIFIER_BYTES).toString('hex');

/** As a failed libnfs tool tells of it (refusal.ts). */
const failure = (words: string, status?: number): Error =>
  Object.assign(new Error(words), { stderr: words, status });
