// An export as nfs-ganesha's configuration. Pure. Source: ganesha-export-config(8),
// and what ganesha 6.5's lexer was seen to make of hosts (see `clientTokens`).

import { RigError } from '../base/errors.ts';
import { type ExportRule, exportRulesSchema } from '../model/export.ts';
import { formatNetwork, halves, isSingleHost, type Network, parseNetwork } from '../model/network.ts';
import { checkedExport } from './checked.ts';
import type { ActiveExport } from './exporter.ts';

const SQUASH_NAMES = { none: 'No_Root_Squash', root: 'Root_Squash', all: 'All_Squash' } as const;
const ACCESS_NAMES = { rw: 'RW', ro: 'RO' } as const;

/** One client as the server holds it. A rule may need two of them (`clientsOf`). */
export interface ServerClient extends Pick<ExportRule, 'access' | 'squash'> {
  readonly network: Network;
}

/**
 * What the server must hold for these rules, in its order. It takes the first
 * client that matches, so the narrowest block comes first and, for two spellings
 * of one host, the one that allows less: the order of the rules means nothing.
 */
export function clientsOf(rules: readonly ExportRule[]): readonly ServerClient[] {
  return rules
    .flatMap(({ host, access, squash }) =>
      expressible(parseNetwork(host)).map((network): ServerClient => ({ network, access, squash })),
    )
    .sort((a, b) => rank(a) - rank(b) || (clientKey(a) < clientKey(b) ? -1 : 1));
}

/** Whom an export serves. */
export interface ServedClients {
  /** Those that a rule can stand for, in the server's order. */
  readonly clients: readonly ServerClient[];
  /** Others, which this project never makes (`*`, a netgroup), in words. */
  readonly foreign: readonly string[];
}

/** Equal for two clients exactly if they are the same. */
export function clientKey({ network, access, squash }: ServerClient): string {
  return `${formatNetwork(network)} ${access} ${squash}`;
}

function rank({ network, access }: ServerClient): number {
  const widthBits = network.family === 4 ? 32 : 128;
  return (widthBits - network.prefixBits) * 2 + (access === 'ro' ? 0 : 1);
}

/**
 * The block as blocks that ganesha can read. It can't read a prefix of 0, so
 * the whole world is given as its two halves; and it silently drops an IPv6
 * block with a prefix of three digits.
 */
function expressible(network: Network): readonly Network[] {
  if (network.prefixBits === 0) return halves(network);
  if (network.prefixBits <= 99 || isSingleHost(network)) return [network];
  throw new RigError('invalid', `nfs-ganesha can't express the IPv6 block ${formatNetwork(network)}`, {
    next: 'Accept single IPv6 hosts, or a block with a prefix of at most 99.',
  });
}

/**
 * The client as ganesha reads it without surprise. It takes a bare 0.0.0.0 for
 * everybody, and ::1/128 for nobody; so IPv4 always has a prefix, and a single
 * IPv6 host never.
 */
function clientToken(network: Network): string {
  const text = formatNetwork(network);
  return network.family === 6 && isSingleHost(network) ? text.replace(/\/\d+$/, '') : text;
}

/** Whom squashed users are mapped to: `nobody` and `nogroup` (ganesha's own default is 2^32 - 2). */
const NOBODY = 65_534;

const RULES_COMMENT = '# rules: ';

/**
 * The configuration file of one export, with its rules as a comment on the
 * first line, as they were spelled. Everything in it was checked before.
 *
 * There is no Filesystem_Id: ganesha then takes the filesystem's own id, which
 * BTRFS makes of its UUID and the subvolume's id, and which is therefore the
 * same after every restart. Together with a stable `exportId` that makes file
 * handles last.
 */
export function renderExport(options: {
  readonly wanted: ActiveExport;
  readonly exportId: number;
  readonly path: string;
}): string {
  const { exportId, path } = options;
  const { id, rules } = checkedExport(options.wanted);
  if (!Number.isInteger(exportId) || exportId < 1 || exportId > 65_535) {
    throw new RigError('internal', `${exportId} can't be the id of an export`);
  }
  if (!/^(\/[A-Za-z0-9._-]+)+$/.test(path)) {
    throw new RigError('internal', `${JSON.stringify(path)} can't be the path of an export`);
  }
  const clients = clientsOf(rules).map(
    ({ network, access, squash }) =>
      `    CLIENT { Clients = ${clientToken(network)}; ` +
      `Access_Type = ${ACCESS_NAMES[access]}; Squash = ${SQUASH_NAMES[squash]}; }`,
  );
  return [
    `${RULES_COMMENT}${JSON.stringify(rules)}`,
    'EXPORT {',
    `    Export_Id = ${exportId};`,
    `    Path = ${path};`,
    `    Pseudo = /${id};`,
    '    Access_Type = None;',
    '    Squash = All_Squash;',
    `    Anonymous_Uid = ${NOBODY};`,
    `    Anonymous_Gid = ${NOBODY};`,
    '    SecType = sys;',
    '    Protocols = 4;',
    '    Transports = TCP;',
    '    FSAL { Name = VFS; }',
    ...clients,
    '}',
    '',
  ].join('\n');
}

/** The rules that a file was rendered from; none if it isn't whole. */
export function spelledRules(file: string): readonly ExportRule[] {
  const [first = ''] = file.split('\n', 1);
  if (!first.startsWith(RULES_COMMENT)) return [];
  try {
    return exportRulesSchema.parse(JSON.parse(first.slice(RULES_COMMENT.length)));
  } catch {
    return [];
  }
}

/**
 * What the server serves, as rules. What is true comes from the server alone; the
 * file only lends the spelling to a rule whose clients are all there. A client
 * that no rule can stand for becomes one with a host that isn't one.
 */
export function rulesOf(
  { clients, foreign }: ServedClients,
  spelled: readonly ExportRule[],
): readonly ExportRule[] {
  const left = new Map(clients.map((client) => [clientKey(client), client]));
  const rules: ExportRule[] = [];
  for (const rule of spelled) {
    const keys = clientsOf([rule]).map(clientKey);
    if (!keys.every((key) => left.has(key))) continue;
    for (const key of keys) left.delete(key);
    rules.push(rule);
  }
  for (const { network, access, squash } of left.values()) {
    const text = formatNetwork(network);
    rules.push({ host: isSingleHost(network) ? text.replace(/\/\d+$/, '') : text, access, squash });
  }
  return [...rules, ...foreign.map((host): ExportRule => ({ host, access: 'rw', squash: 'none' }))];
}
