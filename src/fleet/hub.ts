// The one port of a fleet, on 127.0.0.1. Nodes' calls of each other come in here and go by
// the node that they are to, which every such call names (daemon/peer-auth.ts); people and
// Prometheus ask for the fleet's figures.

import { RigError } from '../base/errors.ts';
import type { Handler, IncomingRequest, Listener, Network, NetworkResponse } from '../network/network.ts';

export interface Hub {
  readonly url: string;
  /** As the nodes have it: to listen means to be found here, by the name that is given as the host. */
  readonly network: Network;
  close(): Promise<void>;
}

/** `answer`: what is asked of the fleet itself; undefined: there is no such thing. */
export async function openHub(options: {
  readonly network: Network;
  /** Default: any that is free. */
  readonly port?: number | undefined;
  readonly answer: (path: string) => Promise<NetworkResponse | undefined>;
}): Promise<Hub> {
  const { network, port = 0, answer } = options;
  const handlers = new Map<string, Handler>();
  const serve = async (request: IncomingRequest): Promise<NetworkResponse> => {
    const to = request.headers['cobalt-to'];
    if (to === undefined) {
      const answered = request.method === 'GET' ? await answer(request.path) : undefined;
      return answered ?? refusal(404, 'there is nothing like that here');
    }
    const handler = handlers.get(to);
    return handler === undefined ? refusal(503, `node ${to} is off`) : handler(request);
  };
  const listener = await network.listen({ host: '127.0.0.1', port }, serve);
  return {
    url: `http://127.0.0.1:${listener.port}`,
    network: {
      call: network.call,
      listen: async ({ host }, handler): Promise<Listener> => {
        if (handlers.has(host)) throw new RigError('unavailable', `${host} listens already`);
        handlers.set(host, handler);
        const close = async (): Promise<void> => {
          if (handlers.get(host) === handler) handlers.delete(host);
        };
        return { host, port: listener.port, close };
      },
    },
    close: () => listener.close(),
  };
}

function refusal(status: number, error: string): NetworkResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify({ error })}\n` };
}
