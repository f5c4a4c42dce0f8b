// What every backend checks before it touches anything, besides the ids of volumes
// (model/names.ts), which become names of folders.

import { RigError } from '../base/errors.ts';
import { checkedCopyName, checkedVolumeId } from '../model/names.ts';
import { COMPRESSIONS, type Compression } from '../model/volume.ts';
import type { Copy, DiskSpace } from './storage.ts';

/** BTRFS works in sectors of 4 KiB; a smaller limit could never be written to. */
const SMALLEST_QUOTA_BYTES = 4096;

/** The quota itself; `invalid` for anything but whole bytes, at least one block of them. */
export function checkedQuota(quotaBytes: number): number {
  if (Number.isSafeInteger(quotaBytes) && quotaBytes >= SMALLEST_QUOTA_BYTES) return quotaBytes;
  throw new RigError('invalid', `a quota of ${quotaBytes} bytes is impossible`);
}

/** The copy itself; `invalid` when its id or its name is not one. */
export function checkedCopy(copy: Copy): Copy {
  checkedVolumeId(copy.id);
  checkedCopyName(copy.name);
  return copy;
}

/** The compression itself; `invalid` for any other. */
export function checkedCompression(compression: Compression | null): Compression | null {
  if (compression === null || COMPRESSIONS.includes(compression)) return compression;
  throw new RigError('invalid', `there is no compression ${JSON.stringify(compression)}`);
}

const LEAST_LEFT_BYTES = 64 * 1024 ** 2;
const LEAST_LEFT_SHARE = 0.01;

/** What makes a disk `full` (model/node.ts): less than 1 % or 64 MiB left. */
export function isFull({ totalBytes, availableBytes }: DiskSpace): boolean {
  return availableBytes < Math.max(LEAST_LEFT_BYTES, totalBytes * LEAST_LEFT_SHARE);
}
