// Who may mount a volume, as people type it.

import { RigError } from '../base/errors.ts';
import { type ExportRule, exportRuleSchema } from '../model/export.ts';
import { fieldErrors } from '../model/parse.ts';
import type { ChosenCluster } from './clusters.ts';

/** `10.0.0.0/8=ro`, `consumer1`, `consumer1=rw,root`; `rw` when nothing is said. Throws `invalid`. */
export function parseExport({ members }: Pick<ChosenCluster, 'members'>, text: string): ExportRule {
  const [who = '', how = 'rw', ...rest] = text.split('=');
  const [access, squash, ...more] = how.split(',');
  const host = members.find(({ name }) => name === who)?.address ?? who;
  const result = exportRuleSchema.safeParse({ host, access, ...(squash !== undefined && { squash }) });
  if (result.success && rest.length + more.length === 0) return result.data;
  const wrong = result.success
    ? []
    : fieldErrors(result.error).map(({ path, message }) => `'${path}' ${message}`);
  throw new RigError('invalid', [`'${text}' says of nobody how to mount`, ...wrong].join(': '), {
    next: 'Give <host>=<rw or ro>[,<none, root or all>]: consumer1=rw, or 10.0.0.0/8=ro,all.',
  });
}
