// Clients of a node's simulated NFS server: who is let in, what fits, and what is
// on the disk then.

import { contains, readNetwork } from '../model/network.ts';
import type { MemoryNfsServer } from '../nfs/memory.ts';
import { digestOfContent } from '../rig/consumer/content.ts';
import type { IoAnswer, IoRequest } from '../rig/consumer/protocol.ts';
import type { MemoryDisk, MemorySubvolume } from '../storage/memory.ts';

/** What of a file is kept: its digest and size are all that anybody asks of it. */
export interface StoredFile {
  readonly sha256: string;
  readonly bytes: number;
}

export const storedFile = (text: string): StoredFile => JSON.parse(text) as StoredFile;

/** One operation of a client at that address, as the server does it. */
export function serveNfs(
  { disk, server }: { readonly disk: MemoryDisk; readonly server: MemoryNfsServer },
  address: string,
  request: IoRequest,
): IoAnswer {
  const access = accessOf(server, address, request.volume);
  const volume = disk.subvolumes.get(request.volume);
  if (access === undefined || volume === undefined) {
    return { outcome: 'refused', detail: 'Failed to mount nfs share: NFS4ERR_NOENT' };
  }
  if (request.kind === 'nfs-read') return read(volume, request.file);
  if (access === 'ro') return { outcome: 'refused', detail: 'Failed to creat file: NFS4ERR_ROFS' };
  if (disk.health.state === 'read-only') return { outcome: 'unknown', detail: 'NFS4ERR_ROFS' };
  return write(volume, request);
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
  if (found === undefined) return { outcome: 'failed', detail: 'NFS4ERR_NOENT' };
  return { outcome: 'ok', sha256: storedFile(found).sha256 };
}

function write(volume: MemorySubvolume, request: Extract<IoRequest, { kind: 'nfs-write' }>): IoAnswer {
  const { file, content, bytes } = request;
  const before = volume.files.get(file);
  const freedBytes = before === undefined ? 0 : storedFile(before).bytes;
  // Opening it empties it.
  const emptyBytes = volume.usedBytes - freedBytes;
  const keptBytes = Math.min(
    bytes,
    Math.max(0, (volume.quotaBytes ?? Number.POSITIVE_INFINITY) - emptyBytes),
  );
  const stored: StoredFile = {
    sha256: digestOfContent({ name: content, bytes: keptBytes }),
    bytes: keptBytes,
  };
  volume.files.set(file, JSON.stringify(stored));
  volume.usedBytes = emptyBytes + keptBytes;
  if (keptBytes === bytes) return { outcome: 'ok', sha256: stored.sha256 };
  // Whoever comes to the limit on the way isn't told why.
  return keptBytes === 0
    ? { outcome: 'unknown', full: true, detail: 'NFS4ERR_DQUOT' }
    : { outcome: 'unknown', detail: 'Failed to write' };
}
