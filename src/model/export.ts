// Who may mount a volume, and how.

import { z } from 'zod';
import { formatNetwork, readNetwork } from './network.ts';

/**
 * An IPv4 or IPv6 address, or a CIDR of either. No zone, no name, no wildcard.
 * nfs-ganesha reads no IPv6 prefix of three digits but a whole address's.
 */
export const hostSchema = z
  .union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], 'must be an IPv4 or IPv6 address, or a CIDR')
  .refine((host) => !/:.*\/1([01][0-9]|2[0-7])$/.test(host), 'must not have an IPv6 prefix from /100 to /127')
  .meta({ description: 'An IP address or CIDR.' });

export const exportRuleSchema = z
  .strictObject({
    host: hostSchema,
    access: z.enum(['rw', 'ro']),
    squash: z.enum(['none', 'root', 'all']).default('none'),
  })
  .meta({
    description: 'One accepted host. Squash maps users of the host to nobody: none, root only, or all.',
  });

export type ExportRule = z.infer<typeof exportRuleSchema>;

/** The accepted hosts of a volume, at most 64, each host once, however it is spelled. */
export const exportRulesSchema = z
  .array(exportRuleSchema)
  .max(64)
  .refine(
    (rules) =>
      rules.length < 2 || new Set(rules.map(({ host }) => canonicalHost(host))).size === rules.length,
    'must name each host once',
  );

/** Equal for two spellings of one host: to the server they are one. */
function canonicalHost(host: string): string {
  const network = readNetwork(host);
  return network === undefined ? host : formatNetwork(network);
}

/** Equality of rule sets; their order means nothing. */
export function sameRules(a: readonly ExportRule[], b: readonly ExportRule[]): boolean {
  const text = (rules: readonly ExportRule[]): string =>
    rules
      .map((rule) => `${rule.host} ${rule.access} ${rule.squash}`)
      .sort()
      .join('\n');
  return text(a) === text(b);
}
