// The numbers by which ganesha knows its exports.

import { RigError } from '../base/errors.ts';
import type { ShownExport } from './ganesha-answers.ts';

/** Export ids are 16 bits; 0 is the pseudo filesystem's root. */
const LARGEST_EXPORT_ID = 65_535;

/**
 * The export's id is part of its file handles, so that it must be the same
 * whenever the volume is exported again. The subvolume's id is: BTRFS counts
 * them up from 256 and never gives one twice. Should two meet after 65,535
 * subvolumes, the second takes the next free one; its handles then last only as
 * long as the server.
 */
export function freeExportId(subvolumeId: number, shown: readonly ShownExport[]): number {
  const taken = new Set(shown.map(({ exportId }) => exportId));
  for (let step = 0; step < LARGEST_EXPORT_ID; step += 1) {
    const candidate = ((subvolumeId + step - 1 + LARGEST_EXPORT_ID) % LARGEST_EXPORT_ID) + 1;
    if (!taken.has(candidate)) return candidate;
  }
  throw new RigError('unsupported', `ganesha can't hold more than ${LARGEST_EXPORT_ID} exports`);
}
