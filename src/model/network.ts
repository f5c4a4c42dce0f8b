// Hosts as networks, by number. People spell one host in many ways (10.0.0.1, 10.0.0.1/32,
// ::ffff:10.0.0.1), and ganesha prints it in yet another; only the number tells.

import { RigError } from '../base/errors.ts';

/** A block of addresses; a single host has the longest prefix. */
export interface Network {
  readonly family: 4 | 6;
  /** The first address of the block. */
  readonly base: bigint;
  readonly prefixBits: number;
}

const WIDTH_BITS = { 4: 32, 6: 128 } as const;
/** ::ffff:0:0/96, where IPv6 holds the IPv4 addresses (RFC 4291, 2.5.5.2). */
const MAPPED_PREFIX = 0xffffn;
const MAPPED_PREFIX_BITS = 96;

/**
 * Reads an address or CIDR. Bits beyond the prefix are dropped, and a mapped
 * IPv4 address is IPv4: that is how the server sees such a client.
 * Throws `invalid` for anything else.
 */
export function parseNetwork(host: string): Network {
  const found = readNetwork(host);
  if (found !== undefined) return found;
  throw new RigError('invalid', `${JSON.stringify(host)} is neither an IP address nor a CIDR`);
}

/** Of so many the reading is kept: a cluster knows few hosts, and asks for them at every change. */
const MOST_KEPT = 1_000;
const known = new Map<string, Network | undefined>();

/** As `parseNetwork`, but undefined for anything else. */
export function readNetwork(host: string): Network | undefined {
  const before = known.get(host);
  if (before !== undefined || known.has(host)) return before;
  if (known.size >= MOST_KEPT) known.clear();
  const network = readAnew(host);
  known.set(host, network);
  return network;
}

function readAnew(host: string): Network | undefined {
  const [address = '', prefix, ...rest] = host.split('/');
  const family = address.includes(':') ? 6 : 4;
  const value = family === 6 ? parseIpv6(address) : parseIpv4(address);
  const prefixBits = prefix === undefined ? WIDTH_BITS[family] : parseInteger(prefix, WIDTH_BITS[family]);
  if (value === undefined || prefixBits === undefined || rest.length > 0) return undefined;
  if (family === 6 && prefixBits >= MAPPED_PREFIX_BITS && value >> 32n === MAPPED_PREFIX) {
    return network(4, value & 0xffffffffn, prefixBits - MAPPED_PREFIX_BITS);
  }
  return network(family, value, prefixBits);
}

/** The block as text: IPv6 in full, without `::`; the prefix always. */
export function formatNetwork({ family, base, prefixBits }: Network): string {
  const groupBits = family === 4 ? 8 : 16;
  const groups: string[] = [];
  for (let shift = WIDTH_BITS[family] - groupBits; shift >= 0; shift -= groupBits) {
    groups.push(
      ((base >> BigInt(shift)) & ((1n << BigInt(groupBits)) - 1n)).toString(family === 4 ? 10 : 16),
    );
  }
  return `${groups.join(family === 4 ? '.' : ':')}/${prefixBits}`;
}

export function isSingleHost({ family, prefixBits }: Network): boolean {
  return prefixBits === WIDTH_BITS[family];
}

/** True when every address of `inner` is one of `outer`'s. */
export function contains(outer: Network, inner: Network): boolean {
  if (outer.family !== inner.family || outer.prefixBits > inner.prefixBits) return false;
  return network(inner.family, inner.base, outer.prefixBits).base === outer.base;
}

/** The two halves of a block that isn't a single host. */
export function halves({ family, base, prefixBits }: Network): readonly Network[] {
  const upper = base | (1n << BigInt(WIDTH_BITS[family] - prefixBits - 1));
  return [network(family, base, prefixBits + 1), network(family, upper, prefixBits + 1)];
}

function network(family: 4 | 6, value: bigint, prefixBits: number): Network {
  const hostBits = BigInt(WIDTH_BITS[family] - prefixBits);
  return { family, base: (value >> hostBits) << hostBits, prefixBits };
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.').map((part) => parseInteger(part, 255));
  if (parts.length !== 4) return undefined;
  return parts.reduce<bigint | undefined>(
    (sum, part) => (sum === undefined || part === undefined ? undefined : sum * 256n + BigInt(part)),
    0n,
  );
}

function parseIpv6(text: string): bigint | undefined {
  // The WHATWG URL parser knows every spelling (RFC 4291, 2.2) and answers with
  // one: lower-case hexadecimal groups, the longest run of zeros compressed.
  if (!/^[0-9a-fA-F:.]+$/.test(text) || !URL.canParse(`http://[${text}]/`)) return undefined;
  const [left = '', right] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].reduce((sum, group) => sum * 0x10000n + BigInt(`0x${group}`), 0n);
}

function parseInteger(text: string, most: number): number | undefined {
  if (!/^(0|[1-9]\d{0,2})$/.test(text)) return undefined;
  return Number(text) <= most ? Number(text) : undefined;
}
