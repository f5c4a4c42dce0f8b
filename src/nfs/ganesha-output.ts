// What `dbus-send --print-reply` prints for ganesha's answers, as data. Pure.
// Source: nfs-ganesha's support/export_mgr.c and include/nfs_exports.h, release 6.

import { RigError } from '../base/errors.ts';
import type { ServerClient } from './ganesha-config.ts';
import { parseNetwork } from './hosts.ts';

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

/**
 * Reads the answer to DisplayExport into its clients, in the server's order.
 * Throws `io` if there is one that this project never makes: nobody knows then
 * whom the export serves.
 */
export function parseDisplayExport(output: string): readonly ServerClient[] {
  const structs = output.match(/^\s*struct \{$/gm)?.length ?? 0;
  const clients = [...output.matchAll(CLIENT)].map((match): ServerClient => {
    const [, host = '', optionText = ''] = match;
    const options = Number(optionText);
    if (!/^[0-9a-f.:]+\/\d+$/.test(host) || (options & OPTION.read) === 0) {
      throw new RigError(
        'io',
        `ganesha exports to '${host}' with options ${options}, which Cobalt never sets`,
      );
    }
    return {
      network: parseNetwork(host),
      access: (options & OPTION.write) === 0 ? 'ro' : 'rw',
      squash:
        (options & OPTION.allSquash) !== 0 ? 'all' : (options & OPTION.rootSquash) !== 0 ? 'root' : 'none',
    };
  });
  if (clients.length === structs) return clients;
  throw new RigError('io', `ganesha's answer names ${structs} clients; ${clients.length} could be read`);
}
