// Whether an address is meant by a rule's host: an address or a CIDR, IPv4 or
// IPv6 (RFC 4632, RFC 4291). Our own, because node:net's BlockList belongs to
// the effectful half.

/** True when the host, an address or a CIDR, is or contains the address. False for anything malformed. */
export function hostMatches(host: string, address: string): boolean {
  const [network = '', length] = host.split('/');
  const wanted = parseAddress(network);
  const given = parseAddress(address);
  if (wanted === undefined || given === undefined || wanted.bits !== given.bits) return false;
  const prefix = length === undefined ? wanted.bits : Number(length);
  const ignored = BigInt(wanted.bits - prefix);
  return wanted.value >> ignored === given.value >> ignored;
}

function parseAddress(text: string): { readonly bits: 32 | 128; readonly value: bigint } | undefined {
  if (!text.includes(':')) {
    const value = parseIpv4(text);
    return value === undefined ? undefined : { bits: 32, value };
  }
  const value = parseIpv6(text);
  return value === undefined ? undefined : { bits: 128, value };
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255))
    return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const [head = '', tail, more] = text.split('::');
  if (more !== undefined) return undefined;
  const before = groups(head);
  const after = groups(tail ?? '');
  if (before === undefined || after === undefined) return undefined;
  const gap = 8 - before.length - after.length;
  if (tail === undefined ? gap !== 0 : gap < 1) return undefined;
  return [...before, ...Array<bigint>(gap).fill(0n), ...after].reduce(
    (value, part) => (value << 16n) | part,
    0n,
  );
}

/** The 16-bit groups; an IPv4 address at the end stands for two. */
function groups(text: string): readonly bigint[] | undefined {
  if (text === '') return [];
  const all: bigint[] = [];
  for (const part of text.split(':')) {
    const ipv4 = part.includes('.') ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) all.push(ipv4 >> 16n, ipv4 & 0xffffn);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) all.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return all;
}
