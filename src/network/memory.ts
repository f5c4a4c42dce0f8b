// The model of a network: processes of one world, joined by the URLs at which
// they listen. Links between them can be cut, loudly or silently; a stream then
// ends, or stands still, wherever it has got to.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { callMemory, type Endpoint, linkOf, type World } from './memory-call.ts';
import type { Network } from './network.ts';

export interface MemoryWorld {
  /** The network as a process on that host sees it. */
  connect(host: string): MemoryNetwork;
  /** Ends what is under way between two hosts and refuses what is new. `silently`: nobody is told. */
  cut(left: string, right: string, options?: { readonly silently?: boolean }): void;
  heal(left: string, right: string): void;
}

export interface MemoryNetwork extends Network {
  /** The process dies: nobody listens any more, and its calls end. */
  close(): void;
}

const FIRST_PORT = 40_000;

/** `carry`: how what is sent arrives; default: at once. */
export function createMemoryWorld({
  clock,
  carry = async () => undefined,
}: {
  readonly clock: Clock;
  readonly carry?: World['carry'];
}): MemoryWorld {
  const world: World = { clock, carry, endpoints: new Map(), cuts: new Map(), watchers: new Set() };
  let nextPort = FIRST_PORT;
  const tell = (): void => {
    for (const watcher of [...world.watchers]) watcher();
  };
  return {
    connect: (host) => {
      const process = new AbortController();
      const mine = new Map<string, Endpoint>();
      const end = (key: string): void => {
        const endpoint = mine.get(key);
        mine.delete(key);
        if (endpoint === undefined) return;
        if (world.endpoints.get(key) === endpoint) world.endpoints.delete(key);
        endpoint.over.abort();
      };
      return {
        call: (request) => callMemory(world, { host, died: process.signal }, request),
        listen: async (at, handler) => {
          const port = at.port === 0 ? nextPort++ : at.port;
          const key = `${host}:${port}`;
          if (process.signal.aborted || world.endpoints.has(key)) {
            throw new RigError('unavailable', `can't listen on ${key}`);
          }
          const endpoint: Endpoint = { host, handler, over: new AbortController() };
          world.endpoints.set(key, endpoint);
          mine.set(key, endpoint);
          return { host, port, close: (until) => closeListener(world, key, { end, until }) };
        },
        close: () => {
          process.abort();
          for (const key of [...mine.keys()]) end(key);
        },
      };
    },
    cut: (left, right, { silently = false } = {}) => {
      world.cuts.set(linkOf(left, right), silently ? 'silent' : 'loud');
      tell();
    },
    heal: (left, right) => {
      world.cuts.delete(linkOf(left, right));
      tell();
    },
  };
}

async function closeListener(
  world: World,
  key: string,
  { end, until }: { readonly end: (key: string) => void; readonly until: AbortSignal | undefined },
): Promise<void> {
  world.endpoints.delete(key);
  if (until !== undefined && !until.aborted) {
    await new Promise<void>((resolve) => until.addEventListener('abort', () => resolve(), { once: true }));
  }
  end(key);
}
