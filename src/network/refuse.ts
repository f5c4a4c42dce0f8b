// Addresses that a call must not go to.

import { RigError } from '../base/errors.ts';
import type { NetworkRequest } from './network.ts';

/** Throws `unavailable` for a URL that names a refused address. A name passes: it is looked at when it is looked up. */
export function refuseLiteral({ url, method, refuses }: NetworkRequest): void {
  const address = new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (refuses?.(address) === true) throw refusedAddress(method, address);
}

export function refusedAddress(method: string, host: string): RigError {
  return new RigError('unavailable', `${method} ${host}: it leads to an address that is refused`);
}
