// Whether an address is meant by a rule's host: an address or a CIDR, IPv4 or
// IPv6 (RFC 4632, RFC 4291). A mapped IPv4 address is an IPv4 one, as it is to the server.

import { contains, readNetwork } from '../../model/network.ts';

/** True when the host, an address or a CIDR, is or contains the address. False for anything malformed. */
export function hostMatches(host: string, address: string): boolean {
  const outer = readNetwork(host);
  const inner = readNetwork(address);
  return outer !== undefined && inner !== undefined && contains(outer, inner);
}
