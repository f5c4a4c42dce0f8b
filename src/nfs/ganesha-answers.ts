// The values of ganesha's answers over D-Bus, as data. Pure.
// Source: nfs-ganesha's support/export_mgr.c and include/nfs_exports.h, release 6.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { readNetwork } from '../model/network.ts';
import type { ServedClients, ServerClient } from './ganesha-config.ts';

export interface ShownExport {
  readonly exportId: number;
  readonly path: string;
}

/** A time, then for each export its id, its path and what doesn't matter here. */
const shownSchema = z.tuple([z.unknown(), z.array(z.tuple([z.int(), z.string()], z.unknown()))]);

/** Reads the answer to ShowExports; `io` if it isn't one. */
export function readShowExports(answer: readonly unknown[]): readonly ShownExport[] {
  const [, found] = read('ShowExports', shownSchema, answer);
  return found.map(([exportId, path]) => ({ exportId, path }));
}

const INT = z.int();

/** EXPORT_OPTION_* bits of a client's options. */
const OPTION = { rootSquash: 0x2, allSquash: 0x4, read: 0x20, write: 0x40 } as const;

/** `(siyyiuuuuu)`; the ninth field is the client's options. */
const clientSchema = z.tuple([z.string(), ...([INT, INT, INT, INT, INT, INT, INT, INT, INT] as const)]);
/** Id, path, pseudo path, tag, clients. */
const displayedSchema = z.tuple([z.int(), z.string(), z.string(), z.string(), z.array(clientSchema)]);

/** Reads the answer to DisplayExport; `io` if it isn't one, or if a client in it can't be read at all. */
export function readDisplayExport(answer: readonly unknown[]): ServedClients {
  const clients: ServerClient[] = [];
  const foreign: string[] = [];
  for (const client of read('DisplayExport', displayedSchema, answer)[4]) {
    const [host, options] = [client[0], client[8]];
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
  return { clients, foreign };
}

function read<T>(method: string, schema: z.ZodType<T>, answer: readonly unknown[]): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RigError('io', `ganesha's answer to ${method}: ${issue?.path.join('.')}: ${issue?.message}`);
}
