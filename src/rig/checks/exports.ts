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

/**
 * What the rules allow the address. Where rules overlap, which one wins is the
 * NFS server's business, so both ends are given: `most` to judge a success by,
 * `least` to judge a refusal by.
 */
export function levels(
  rules: readonly ExportRule[],
  address: string,
): { readonly most: Level; readonly least: Level } {
  const matching = rules.filter((rule) => hostMatches(rule.host, address));
  const granted = matching.map((rule): Level => (rule.access === 'rw' ? 2 : 1));
  if (granted.length === 0) return { most: 0, least: 0 };
  return { most: granted.includes(2) ? 2 : 1, least: granted.includes(1) ? 1 : 2 };
}
