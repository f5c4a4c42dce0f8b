// What `dbus-send --print-reply` prints for ganesha's answers, as data. Pure.
// Source: nfs-ganesha's support/export_mgr.c and include/nfs_exports.h, release 6.

import { RigError } from '../base/errors.ts';
import { readNetwork } from '../model/network.ts';
import type { ServedClients, ServerClient } from './ganesha-config.ts';

export interface ShownExport {
  readonly exportId: number;
  readonly path: string;
}

/** Reads the answer to ShowExports: in each struct an id (`uint16`), then the path. */
export function parseShowExports(output: string): readonly ShownExport[] {
  const found: ShownExport[] = [];
  for (const match of output.matchAll(/^\s*uint16 (\d+)\n\s*string "(.*)"$/gm)) {
    if (match[1] === undefined || match[2] === undefined) continue;
    found.push({ exportId: Number(match[1]), path: match[2] });
  }
  return found;
}

/** EXPORT_OPTION_* bits of a client's options. */
const OPTION = { rootSquash: 0x2, allSquash: 0x4, read: 0x20, write: 0x40 } as const;

/** A client of DisplayExport: `(siyyiuuuuu)`; the ninth field is its options. */
const CLIENT = new RegExp(
  ['string "(.*)"', 'int32 \\d+', 'byte \\d+', 'byte \\d+', 'int32 \\d+']
    .concat(['uint32 \\d+', 'uint32 \\d+', 'uint32 \\d+', 'uint32 (\\d+)', 'uint32 \\d+'])
    .join('\\n\\s*'),
  'g',
);

/** Reads the answer to DisplayExport. Throws `io` if a client in it can't be read at all. */
export function parseDisplayExport(output: string): ServedClients {
  const structs = output.match(/^\s*struct \{$/gm)?.length ?? 0;
  const clients: ServerClient[] = [];
  const foreign: string[] = [];
  for (const [, host = '', optionText = ''] of output.matchAll(CLIENT)) {
    const options = Number(optionText);
    const network = host.includes('/') ? readNetwork(host) : undefined;
    if (network === undefined || (options & OPTION.read) === 0) {
      foreign.push(`${host} with options ${options}`);
      continue;
    }
    clients.push({
      network,
      access: (options & OPTION.write) === 0 ? 'ro' : 'rw',
      squash:
        (options & OPTION.allSquash) !== 0 ? 'all' : (options & OPTION.rootSquash) !== 0 ? 'root' : 'none',
    });
  }
  const read = clients.length + foreign.length;
  if (read === structs) return { clients, foreign };
  throw new RigError('io', `ganesha's answer names ${structs} clients; ${read} could be read`);
}
