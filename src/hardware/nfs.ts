// Clients of a node's modelled NFS server: who is let in, what fits, and what is
// on the disk then.

import { sha256 } from '../base/digest.ts';
import { contains, readNetwork } from '../model/network.ts';
import type { MemoryNfsServer } from '../nfs/memory.ts';
import type { IoAnswer, IoRequest } from '../rig/consumer/protocol.ts';
import type { MemorySubvolume } from '../storage/memory.ts';
import type { ModelledDisk } from './disk.ts';

/** What of a file is kept: its digest and size are all that anybody asks of it. */
export interface StoredFile {
  readonly sha256: string;
  readonly bytes: number;
}

type Write = Extract<IoRequest, { readonly kind: 'nfs-write' }>;

export interface NfsOptions {
  readonly storage: ModelledDisk;
  readonly server: MemoryNfsServer;
  /** The client's. */
  readonly address: string;
  /** Resolves after so long, in the server; not at all when that ends before. */
  readonly sleep: (ms: number) => Promise<void>;
}

/** A file has no bytes here, so that its digest is of what would decide them. */
export const digestOf = ({ name, bytes }: { readonly name: string; readonly bytes: number }): string =>
  sha256(`${bytes} bytes of ${name}`);

export const storedFile = (text: string): StoredFile => JSON.parse(text) as StoredFile;

/** One operation of a client, as the server does it. A server that ends in a write leaves half of it. */
export async function serveNfs(options: NfsOptions, request: IoRequest): Promise<IoAnswer> {
  const { storage } = options;
  const refusal = refusalOf(options, request);
  if (refusal !== undefined) return refusal;
  const volume = storage.disk.subvolumes.get(request.volume);
  if (volume === undefined) return NOT_SEEN;
  if (request.kind === 'nfs-read') return read(volume, request.file);
  if (storage.is('full')) return { outcome: 'unknown', full: true, detail: 'NFS4ERR_NOSPC' };
  const fits = begin(volume, request);
  if (fits === undefined) return NO_ROOM;
  await options.sleep(storage.bytesMs(request.bytes));
  // It may have been moved, deleted, or closed to the client meanwhile, and the disk may have failed.
  const late = refusalOf(options, request);
  if (late !== undefined || storage.disk.subvolumes.get(request.volume) !== volume) {
    const { refused, detail } = { refused: late?.outcome === 'refused', detail: 'NFS4ERR_STALE', ...late };
    return { outcome: 'unknown', detail, ...(refused && { refused }) };
  }
  return finish(volume, request, fits);
}

const NOT_SEEN: IoAnswer = { outcome: 'refused', detail: 'Failed to mount nfs share: NFS4ERR_NOENT' };

function refusalOf({ storage, server, address }: NfsOptions, request: IoRequest): IoAnswer | undefined {
  const access = accessOf(server, address, request.volume);
  if (access === undefined) return NOT_SEEN;
  const isWrite = request.kind === 'nfs-write';
  if (storage.is('failing')) return { outcome: isWrite ? 'unknown' : 'failed', detail: 'NFS4ERR_IO' };
  if (!isWrite) return undefined;
  if (access === 'ro') return { outcome: 'refused', detail: 'Failed to creat file: NFS4ERR_ROFS' };
  return storage.is('read-only')
    ? { outcome: 'refused', detail: 'Failed to creat file: NFS4ERR_ROFS' }
    : undefined;
}

function accessOf(server: MemoryNfsServer, address: string, volume: string): 'rw' | 'ro' | undefined {
  const client = readNetwork(address);
  if (!server.up || client === undefined) return undefined;
  return server.exports.get(volume)?.find(({ host }) => {
    const network = readNetwork(host);
    return network !== undefined && contains(network, client);
  })?.access;
}

function read(volume: MemorySubvolume, file: string): IoAnswer {
  const found = volume.files.get(file);
  if (found === undefined) {
    return { outcome: 'failed', absent: true, detail: 'Failed to open file: NFS4ERR_NOENT' };
  }
  return { outcome: 'ok', sha256: storedFile(found).sha256 };
}

const NO_ROOM: IoAnswer = { outcome: 'unknown', full: true, detail: 'NFS4ERR_DQUOT' };

/**
 * Opening the file empties it, and then it is filled; answers with how much of it fits. Undefined, and there is
 * no file, where there is no room even for its name.
 */
function begin(volume: MemorySubvolume, { file, content, bytes }: Write): number | undefined {
  const before = volume.files.get(file);
  const otherBytes = Math.max(0, volume.usedBytes - (before === undefined ? 0 : storedFile(before).bytes));
  const roomBytes = Math.max(0, (volume.quotaBytes ?? Number.POSITIVE_INFINITY) - otherBytes);
  if (roomBytes === 0 && before === undefined) return undefined;
  const fits = Math.min(bytes, roomBytes);
  const half = Math.floor(fits / 2);
  put(volume, file, { sha256: digestOf({ name: content, bytes: half }), bytes: half });
  return fits;
}

function finish(volume: MemorySubvolume, { file, content, bytes }: Write, fits: number): IoAnswer {
  const sha256 = digestOf({ name: content, bytes: fits });
  put(volume, file, { sha256, bytes: fits });
  if (fits === bytes) return { outcome: 'ok', sha256 };
  // Whoever comes to the limit on the way isn't told why.
  return fits === 0 ? NO_ROOM : { outcome: 'unknown', detail: 'Failed to write' };
}

function put(volume: MemorySubvolume, file: string, stored: StoredFile): void {
  const before = volume.files.get(file);
  giveBack(volume, before);
  volume.usedBytes += stored.bytes;
  volume.files.set(file, JSON.stringify(stored));
}

/** What was compressed since takes less than its length: of how much nobody keeps book, but never less than nothing. */
function giveBack(volume: MemorySubvolume, before: string | undefined): void {
  const bytes = before === undefined ? 0 : storedFile(before).bytes;
  volume.usedBytes = Math.max(0, volume.usedBytes - bytes);
}

const FILLER = '.rig-filler';

/** A file of the rig's own that takes all that the quota leaves, or its end. */
export function fillVolume(volume: MemorySubvolume | undefined, wanted: boolean): void {
  if (volume === undefined) return;
  const before = volume.files.get(FILLER);
  if (before !== undefined) {
    giveBack(volume, before);
    volume.files.delete(FILLER);
  }
  if (!wanted || volume.quotaBytes === null) return;
  const bytes = Math.max(0, volume.quotaBytes - volume.usedBytes);
  put(volume, FILLER, { sha256: digestOf({ name: "the rig's", bytes }), bytes });
}
