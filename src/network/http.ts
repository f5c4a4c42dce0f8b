// The real network: HTTP/1.1, over TLS where certificates are given. A
// connection carries one call: nothing is ever sent on one that the other side
// has just closed, and so nothing has to be sent twice.

import type { Clock } from '../base/clock.ts';
import { callHttp } from './http-call.ts';
import { listenHttp } from './http-listen.ts';
import type { Network } from './network.ts';
import type { NetworkTls } from './tls.ts';

export interface HttpNetworkOptions {
  readonly clock: Clock;
  /** Default: plain HTTP. A call goes by its URL; to https:// without this the system's authorities hold. */
  readonly tls?: NetworkTls;
}

export function createHttpNetwork(options: HttpNetworkOptions): Network {
  return {
    call: (request) => callHttp(options, request),
    listen: (at, handler) => listenHttp(options, at, handler),
  };
}
