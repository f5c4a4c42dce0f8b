// Addresses of hosts, with an end: the name of a container that is stopped is nobody's, and getaddrinfo(), which fetch()
// and others use, may wait 20 s for somebody to say so, in one of the few threads that all lookups share.

import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';

const ANSWER_WITHIN_MS = 500;

/** The IP address of a host. Rejects where there is none, and where no name server says so in time. */
export type Resolve = (host: string) => Promise<string>;

/** By the name servers that this machine has. IPv4 first. */
export function createResolve(): Resolve {
  const resolver = new Resolver({ timeout: ANSWER_WITHIN_MS, tries: 1 });
  return async (host) => {
    if (isIP(host) !== 0) return host;
    const [address] = await resolver.resolve4(host).catch(() => resolver.resolve6(host));
    if (address === undefined) throw new Error(`${host} has no address`);
    return address;
  };
}
