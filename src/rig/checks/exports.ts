// Who may do what with a volume, by the rules in etcd and by the NFS server's own list.

import type { ExportRule } from '../../model/export.ts';
import type { InventoryExport } from '../history.ts';
import { hostMatches } from './hosts.ts';

/** What a host may do: nothing, read, or read and write. */
export type Level = 0 | 1 | 2;

type Clients = InventoryExport['clients'];

/** Equality of clients; neither their order nor their spelling's case means anything. */
export const sameClients = (a: Clients, b: Clients): boolean => text(a) === text(b);

/** The lists as one line, for people and for comparing. */
export const text = (clients: Clients): string =>
  clients
    .map((client) => `${client.host} ${client.access} ${client.squash}`.toLowerCase())
    .sort()
    .join(', ');

// Every step of a volume has its rules, which are mostly those of the step before (parsed.ts).
const found = new WeakMap<readonly ExportRule[], Map<string, ExportRule | undefined>>();

/** The rule that counts for the address: of several that hold it the narrowest. */
export function ruleFor(rules: readonly ExportRule[], address: string): ExportRule | undefined {
  const byAddress = found.get(rules) ?? new Map<string, ExportRule | undefined>();
  found.set(rules, byAddress);
  if (!byAddress.has(address)) {
    const meant = rules.filter(({ host }) => hostMatches(host, address));
    const isNarrowest = ({ host }: ExportRule): boolean =>
      meant.every((other) => hostMatches(other.host, host));
    byAddress.set(address, meant.find(isNarrowest));
  }
  return byAddress.get(address);
}

/** What the rules allow the address. */
export function levelOf(rules: readonly ExportRule[], address: string): Level {
  const rule = ruleFor(rules, address);
  return rule === undefined ? 0 : rule.access === 'rw' ? 2 : 1;
}
