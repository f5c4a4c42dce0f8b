// What the clients of a volume have to do when it changes, host by host.

import type { Client } from './event.ts';
import type { ExportRule } from './export.ts';
import type { Mount } from './mount.ts';
import { contains, formatNetwork, readNetwork } from './network.ts';
import { isHandedOver, type Volume } from './volume.ts';

/**
 * Who may count on access. In the middle of a move nobody has any, but it is promised to those who are
 * to get it on the new node: whoever isn't among them any more need not wait for it. A volume that is
 * to be deleted is nobody's any more.
 */
export function accepted(volume: Volume | undefined): readonly ExportRule[] {
  if (volume === undefined || volume.actual === null || volume.state === 'deleting') return [];
  return isHandedOver(volume) ? volume.exports : volume.actual.exports;
}

/** From what the clients know of a volume to what it is now. */
export interface VolumeChange {
  readonly before: Volume | undefined;
  readonly after: Volume | undefined;
  /** Where `after` is served. */
  readonly mount: Mount | null;
  /** It has come to another server, where all have to follow it. */
  readonly moved: boolean;
}

/**
 * What a change asks of the clients. Nobody is told to go where nobody serves the volume: they are
 * told when somebody does.
 */
export function clientsTold(change: VolumeChange): Client[] {
  const before = accepted(change.before);
  const after = accepted(change.after);
  const changed = distinctHosts([...before, ...after]).flatMap((host): Client[] => {
    const had = ruleFor(before, host);
    const has = ruleFor(after, host);
    if (has === undefined) return [{ host, action: 'unmount', access: null, squash: null }];
    // Nobody is told to go where nobody serves the volume.
    if (change.mount === null) return [];
    if (had === undefined) return [told({ ...has, host }, 'mount')];
    return change.moved || !samePermission(had, has) ? [told({ ...has, host }, 'remount')] : [];
  });
  return change.mount === null ? changed : [...changed, ...unconcerned(after, changed)];
}

/** Those for whom nothing changes although something does for a wider network around them. */
function unconcerned(rules: readonly ExportRule[], changed: readonly Client[]): Client[] {
  return untold(rules, changed).filter(({ host }) => changed.some((client) => isWithin(host, client.host)));
}

/**
 * What all are told when the volume's server is back. Whoever had to unmount meanwhile was told at once;
 * all else that has changed is told now.
 */
export function clientsToldAll(change: VolumeChange): Client[] {
  const changed = clientsTold(change).filter(({ action }) => action !== 'unmount');
  return [...changed, ...untold(accepted(change.after), changed)];
}

/** To the others: have it mounted. */
function untold(rules: readonly ExportRule[], clients: readonly Client[]): Client[] {
  const isTold = (host: string): boolean =>
    clients.some((client) => canonical(client.host) === canonical(host));
  return rules.filter(({ host }) => !isTold(host)).map((rule) => told(rule, 'mount'));
}

function told({ host, access, squash }: ExportRule, action: 'mount' | 'remount'): Client {
  return { host, action, access, squash };
}

/** The rule that counts for all of a host's or network's addresses: the narrowest that holds them, as for the server. */
function ruleFor(rules: readonly ExportRule[], host: string): ExportRule | undefined {
  const holding = rules.filter((rule) => isWithin(host, rule.host));
  return holding.find((rule) => holding.every((other) => isWithin(rule.host, other.host)));
}

function distinctHosts(rules: readonly ExportRule[]): readonly string[] {
  return [...new Map(rules.map(({ host }) => [canonical(host), host])).values()];
}

function isWithin(inner: string, outer: string): boolean {
  const [a, b] = [readNetwork(inner), readNetwork(outer)];
  return a !== undefined && b !== undefined && contains(b, a);
}

/** Equal for all spellings of one host. */
function canonical(host: string): string {
  const network = readNetwork(host);
  return network === undefined ? host : formatNetwork(network);
}

function samePermission(a: ExportRule, b: ExportRule): boolean {
  return a.access === b.access && a.squash === b.squash;
}
