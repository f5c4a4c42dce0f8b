// What members have printed, also those whose containers are gone by now.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { linesOf } from '../journal.ts';
import { toLogRecords } from '../log-lines.ts';
import { LOG_FILE } from '../log-record.ts';
import type { Containers } from './containers.ts';

export interface LogKeeper {
  read(member: string): Promise<string>;
  /** To be called before its container is removed. */
  keep(member: string): Promise<void>;
  /** As rig/record-files.ts reads them. */
  save(folder: string): Promise<void>;
}

export function createLogKeeper(containers: Containers): LogKeeper {
  const kept = new Map<string, string>();
  const read = async (member: string): Promise<string> => {
    const before = kept.get(member);
    if (before === undefined) return containers.logs(member);
    const isThere = (await containers.services()).includes(member);
    return `${before}${isThere ? await containers.logs(member) : ''}`;
  };
  return {
    read,
    keep: async (member) => void kept.set(member, await read(member)),
    save: async (folder) => {
      for (const member of new Set([...(await containers.services()), ...kept.keys()])) {
        const records = toLogRecords(member, await read(member));
        await mkdir(join(folder, member), { recursive: true });
        await writeFile(join(folder, member, LOG_FILE), linesOf(records));
      }
    },
  };
}
