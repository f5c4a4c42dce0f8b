// Which process is at the other end of a connection over the loopback network: by its
// inode in /proc/net/tcp (proc_net(5)) and whoever has that open.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** An address and port as /proc/net/tcp writes them; of IPv4, on a little-endian machine. */
const written = (address: string, port: number): string => {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `${bytes.reverse().join('')}:${port.toString(16).padStart(4, '0')}`.toUpperCase();
};

/** Of a table as /proc/net/tcp holds it: the socket whose own end is `local`. Undefined when there is none. */
export function inodeIn(
  table: string,
  ends: {
    readonly local: { readonly address: string; readonly port: number };
    readonly remote: { readonly address: string; readonly port: number };
  },
): string | undefined {
  const [local, remote] = [ends.local, ends.remote].map(({ address, port }) => written(address, port));
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[1] === local && fields[2] === remote) return fields[9];
  }
  return undefined;
}

/** The first of these processes that has the other end of it open; undefined when none has, or not any more. */
export function ownerOf(
  socket: {
    readonly remoteAddress?: string | undefined;
    readonly remotePort?: number | undefined;
    readonly localAddress?: string | undefined;
    readonly localPort?: number | undefined;
  },
  pids: readonly number[],
): number | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  const inode = inodeIn(readFileSync('/proc/net/tcp', 'utf8'), {
    local: { address: remoteAddress, port: remotePort ?? 0 },
    remote: { address: localAddress, port: localPort ?? 0 },
  });
  if (inode === undefined || inode === '0') return undefined;
  return pids.find((pid) => openFiles(pid).includes(`socket:[${inode}]`));
}

function openFiles(pid: number): readonly string[] {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)];
      } catch {
        return []; // Closed since.
      }
    });
  } catch {
    return [];
  }
}
