// What the btrfs command prints, as data. Pure; source: btrfs-progs 6.14,
// cmds/subvolume-list.c and cmds/qgroup.c (the columns are the same since 4.x).

import { copyNameSchema, isVolumeId } from '../model/names.ts';
import type { Copy } from './storage.ts';

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

/** Reads `btrfs device stats`: the counters that aren't 0, in words; null when all of them are. */
export function deviceErrors(output: string): string | null {
  const found = [...output.matchAll(/^\[(.+)\]\.(\w+)\s+(\d+)$/gm)]
    .filter(([, , , count]) => Number(count) > 0)
    .map(([, device, counter, count]) => `${count} ${counter} on ${device}`);
  return found.length === 0 ? null : found.join(', ');
}

/**
 * Reads /proc/self/mountinfo (proc(5)): whether what is mounted at `root` takes no writes, by the mount's
 * options or by the filesystem's, which BTRFS turns to `ro` itself when it can't go on.
 */
export function isReadOnlyMount(mountinfo: string, root: string): boolean {
  let readOnly = false;
  for (const line of mountinfo.split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const [, , , , at, options = ''] = mount.split(' ');
    if (at === undefined || unescaped(at) !== root) continue;
    // The last one is on top.
    readOnly = [options, filesystem.split(' ')[2] ?? ''].some((list) => list.split(',').includes('ro'));
  }
  return readOnly;
}

/** Blanks and the like stand there as `\040`. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** The folder of a copy: `<id>.<name>`. */
export function copyFolder({ id, name }: Copy): string {
  return `${id}.${name}`;
}

/** Undefined for a name that copyFolder never made. */
export function parseCopyFolder(folder: string): Copy | undefined {
  const [id = '', name = '', ...more] = folder.split('.');
  if (more.length > 0 || !isVolumeId(id) || !copyNameSchema.safeParse(name).success) return undefined;
  return { id, name };
}

/** Undefined for a path that isn't a copy's: `…/copies/<id>.<name>/<id>`. */
export function parseCopyPath(path: string): Copy | undefined {
  const [subvolume, folder = '', parent] = path.split('/').reverse();
  const copy = parseCopyFolder(folder);
  return parent === 'copies' && copy?.id === subvolume ? copy : undefined;
}
