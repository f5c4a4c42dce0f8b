// What every backend checks before it touches anything: ids and hosts become
// part of the NFS server's configuration, so only validated ones get through.

import { RigError } from '../base/errors.ts';
import { exportRulesSchema } from '../model/export.ts';
import { checkedVolumeId } from '../model/names.ts';
import type { ActiveExport } from './exporter.ts';

/** The export itself; `invalid` for a rule that model/export.ts would refuse. */
export function checkedExport(wanted: ActiveExport): ActiveExport {
  checkedVolumeId(wanted.id);
  const parsed = exportRulesSchema.safeParse(wanted.rules);
  if (parsed.success) return wanted;
  const [issue] = parsed.error.issues;
  throw new RigError('invalid', `the export of ${wanted.id} is malformed: ${issue?.message}`);
}
