// /proc/self/mountinfo as data. Pure; source: proc_pid_mountinfo(5).

export interface Mount {
  /** What of the filesystem is mounted: for BTRFS the path from its top, as it is called now. */
  readonly rootPath: string;
  readonly mountPoint: string;
  readonly filesystem: string;
  readonly device: string;
  /** The id of the mounted BTRFS subvolume; undefined for other filesystems. */
  readonly subvolumeId: number | undefined;
}

/** In the order of mounting: of several at one place the last is the one that is seen. */
export function parseMountinfo(content: string): readonly Mount[] {
  const mounts: Mount[] = [];
  for (const line of content.split('\n')) {
    const [left, right] = line.split(' - ', 2);
    const [, , , rootPath, mountPoint] = left?.split(' ') ?? [];
    const [filesystem, device, superOptions] = right?.split(' ') ?? [];
    if (rootPath === undefined || mountPoint === undefined) continue;
    if (filesystem === undefined || device === undefined) continue;
    const subvolumeId = /(?:^|,)subvolid=(\d+)/.exec(superOptions ?? '')?.[1];
    mounts.push({
      rootPath: unescaped(rootPath),
      mountPoint: unescaped(mountPoint),
      filesystem,
      device: unescaped(device),
      subvolumeId: subvolumeId === undefined ? undefined : Number(subvolumeId),
    });
  }
  return mounts;
}

/** Space, tab, newline and backslash are written as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
