// Names that must not lead just anywhere: what a call refuses is looked at where the connection is
// made, so that a name can't lead elsewhere between the look and the call.

import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { NetworkRequest } from './network.ts';
import { refusedAddress } from './refuse.ts';

/** The option of node:http that looks names up; nothing for a call that refuses no address. */
export function refusingLookup({ method, refuses }: NetworkRequest): { readonly lookup?: LookupFunction } {
  if (refuses === undefined) return {};
  return {
    lookup: (hostname, options, callback) => {
      lookup(hostname, { ...options, all: true }, (error, addresses) => {
        const bad = addresses?.find(({ address }) => refuses(address));
        const failure = error ?? (bad === undefined ? null : refusedAddress(method, hostname));
        const [first] = addresses ?? [];
        if (failure !== null || first === undefined) callback(failure, '', 0);
        else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    },
  };
}
