// Keeps HAProxy's servers at what is known of the nodes: names are looked up again every time, since a container that
// was started again may have another address.

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { PlacedNode } from '../overlay/nodes.ts';
import type { Resolve } from '../overlay/resolve.ts';
import { BACKEND, commandsFor, parseServersState, type Server } from './commands.ts';
import type { Ask } from './socket.ts';

/** So long a node whose address has changed stays unknown. */
const ROUND_MS = 1_000;

export interface KeepServersOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly ask: Ask;
  readonly resolve: Resolve;
  /** Undefined before any node is known: HAProxy then keeps what it has. */
  readonly nodes: () => readonly PlacedNode[] | undefined;
  readonly signal: AbortSignal;
}

/** Resolves when the signal has fired. Rejects with `unavailable` when HAProxy can't be told any more. */
export async function keepServers(options: KeepServersOptions): Promise<void> {
  const { clock, signal } = options;
  const addresses = new Map<string, string>();
  while (!signal.aborted) {
    await keepOnce(options, addresses);
    await clock.sleep(ROUND_MS, signal).catch(() => undefined);
  }
}

/** `addresses`: the last one of each node; a stopped container has no name. */
export async function keepOnce(
  { ask, resolve, nodes, log }: Omit<KeepServersOptions, 'clock' | 'signal'>,
  addresses: Map<string, string>,
): Promise<void> {
  const known = nodes();
  if (known === undefined) return;
  const wanted = await Promise.all(
    known.map(async ({ name, host, port }): Promise<readonly Server[]> => {
      const address = await resolve(host).catch(() => addresses.get(name));
      if (address === undefined) return [];
      addresses.set(name, address);
      return [{ name, address, port }];
    }),
  );
  for (const name of addresses.keys()) if (!known.some((node) => node.name === name)) addresses.delete(name);
  const current = parseServersState(await ask(`show servers state ${BACKEND}`));
  for (const command of commandsFor(current, wanted.flat())) {
    const answer = (await ask(command)).trim();
    // Streams that are shut again and again are no news.
    if (!command.startsWith('shutdown')) log.info('haproxy.told', { command, answer });
  }
}
