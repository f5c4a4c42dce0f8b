// What the btrfs command prints, as data. Pure; source: btrfs-progs 6.14,
// cmds/subvolume-list.c and cmds/qgroup.c (the columns are the same since 4.x).

import { isVolumeId } from '../model/names.ts';

export interface ListedSubvolume {
  readonly subvolumeId: number;
  /** From the top of the filesystem, without a leading slash. */
  readonly path: string;
}

/** Reads `btrfs subvolume list`: `ID 256 gen 11 top level 5 path volumes/v…`, a line each. */
export function parseSubvolumeList(output: string): readonly ListedSubvolume[] {
  const found: ListedSubvolume[] = [];
  for (const line of output.split('\n')) {
    const match = /^ID (\d+) .*?\bpath (.+)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) continue;
    found.push({ subvolumeId: Number(match[1]), path: match[2].replace(/^<FS_TREE>\//, '') });
  }
  return found;
}

export interface ListedQgroup {
  readonly usedBytes: number;
  readonly quotaBytes: number | null;
}

/**
 * Reads `btrfs qgroup show -re --raw` into level-0 qgroups by subvolume id. Its
 * columns are id, referenced, exclusive, limits of both, and (since 6.0) a path,
 * which is not read: stale qgroups have none.
 */
export function parseQgroups(output: string): ReadonlyMap<number, ListedQgroup> {
  const found = new Map<number, ListedQgroup>();
  for (const line of output.split('\n')) {
    const match = /^\s*0\/(\d+)\s+(\d+)\s+\d+\s+(none|\d+)\s+(?:none|\d+)(?:\s|$)/.exec(line);
    if (match === null) continue;
    const [, subvolumeId, usedBytes, limit] = match;
    found.set(Number(subvolumeId), {
      usedBytes: Number(usedBytes),
      quotaBytes: limit === 'none' ? null : Number(limit),
    });
  }
  return found;
}

export interface TrashedName {
  readonly id: string;
  readonly trashedAtMs: number;
}

/** The name of a trashed subvolume: `<id>.<milliseconds since the epoch>`. */
export function trashName(trashed: TrashedName): string {
  return `${trashed.id}.${Math.floor(trashed.trashedAtMs)}`;
}

/** Undefined for a name that trashName never made: somebody else's, and not touched. */
export function parseTrashName(name: string): TrashedName | undefined {
  const [, id, trashedAtMs] = /^(.+)\.(\d{1,15})$/.exec(name) ?? [];
  if (id === undefined || !isVolumeId(id)) return undefined;
  return { id, trashedAtMs: Number(trashedAtMs) };
}
