// Who may mount a volume, as people type it.

import { RigError } from '../base/errors.ts';
import { type ExportRule, exportRuleSchema } from '../model/export.ts';
import { fieldErrors } from '../model/parse.ts';
import type { Volume } from '../model/volume.ts';
import { hostMatches } from '../rig/checks/hosts.ts';
import type { FoundMember } from '../rig/docker/clusters.ts';
import type { ChosenCluster } from './clusters.ts';

/** As {@link parseExport} reads it. */
export const formatExport = ({ host, access, squash }: ExportRule): string =>
  `${host}=${access}${squash === 'none' ? '' : `,${squash}`}`;

/** Throws `conflict` for a consumer that would be refused; what is on its way to the NFS server nobody knows here. */
export function requireExport(
  { members }: Pick<ChosenCluster, 'members'>,
  { name, exports }: Pick<Volume, 'name' | 'exports'>,
  consumer: Pick<FoundMember, 'name' | 'address'>,
): void {
  const { address } = consumer;
  if (address === undefined || exports.some(({ host }) => hostMatches(host, address))) return;
  const nameOf = (host: string): string => members.find((member) => member.address === host)?.name ?? host;
  const rules = exports.map((rule) => formatExport({ ...rule, host: nameOf(rule.host) }));
  const to = rules.length === 0 ? 'nobody' : rules.join(' ');
  throw new RigError('conflict', `${name} is exported to ${to}, not to ${consumer.name} (${address})`, {
    next: `Let it in with rig volume exports ${[name, ...rules, `${consumer.name}=rw`].join(' ')}.`,
  });
}

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
