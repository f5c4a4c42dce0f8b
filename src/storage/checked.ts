// What every backend checks before it touches anything: ids become names of
// folders, so nothing but a volume's id gets through.

import { RigError } from '../base/errors.ts';
import { volumeIdSchema } from '../model/names.ts';

/** BTRFS works in sectors of 4 KiB; a smaller limit could never be written to. */
const SMALLEST_QUOTA_BYTES = 4096;

/** The id itself; `invalid` for anything but `v` and 16 hexadecimal digits. */
export function checkedId(id: string): string {
  if (volumeIdSchema.safeParse(id).success) return id;
  throw new RigError('invalid', `${JSON.stringify(id)} is not the id of a volume`);
}

/** The quota itself; `invalid` for anything but whole bytes, at least one block of them. */
export function checkedQuota(quotaBytes: number): number {
  if (Number.isSafeInteger(quotaBytes) && quotaBytes >= SMALLEST_QUOTA_BYTES) return quotaBytes;
  throw new RigError('invalid', `a quota of ${quotaBytes} bytes is impossible`);
}

/** The id of an etcd cluster, as it is stored; `invalid` for anything but 1-64 letters and digits. */
export function checkedClusterId(clusterId: string): string {
  if (/^[0-9A-Za-z-]{1,64}$/.test(clusterId)) return clusterId;
  throw new RigError('invalid', `${JSON.stringify(clusterId)} is not the id of a cluster`);
}
