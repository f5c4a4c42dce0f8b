// What every backend checks before it touches anything, besides the ids of volumes
// (model/names.ts), which become names of folders.

import { RigError } from '../base/errors.ts';

/** BTRFS works in sectors of 4 KiB; a smaller limit could never be written to. */
const SMALLEST_QUOTA_BYTES = 4096;

/** The quota itself; `invalid` for anything but whole bytes, at least one block of them. */
export function checkedQuota(quotaBytes: number): number {
  if (Number.isSafeInteger(quotaBytes) && quotaBytes >= SMALLEST_QUOTA_BYTES) return quotaBytes;
  throw new RigError('invalid', `a quota of ${quotaBytes} bytes is impossible`);
}
