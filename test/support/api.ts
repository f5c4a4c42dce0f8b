// One API by itself, over a store in memory, served as the daemon serves it: for
// tests of the calls and of who may make them. No engine and no agent take part.

import { createSystemClock } from '../../src/base/clock.ts';
import { createLog, type LogLine } from '../../src/base/log.ts';
import { createSystemRandom } from '../../src/base/random.ts';
import { type ApiOptions, createApiContext } from '../../src/daemon/api/api.ts';
import { ROUTES } from '../../src/daemon/api/routes.ts';
import { createServer, LISTEN_BACKLOG, type ServerOptions } from '../../src/daemon/api/server.ts';
import type { Kv } from '../../src/kv/kv.ts';
import { createMemoryStore } from '../../src/kv/memory.ts';
import { type Call, createCall } from './call.ts';

const clock = createSystemClock();
const random = createSystemRandom();

export interface TestApi extends AsyncDisposable {
  readonly kv: Kv;
  readonly url: string;
  readonly port: number;
  readonly call: Call;
  readonly log: readonly LogLine[];
  /** Begins to stop; resolves when every call has ended. */
  close(): Promise<void>;
}

export interface TestApiOptions {
  /** Default: a new store in memory. */
  readonly kv?: Kv;
  readonly context?: Pick<ApiOptions, 'usage' | 'protection' | 'loopbackCallbacks'>;
  readonly server?: Omit<ServerOptions, 'context' | 'routes'>;
  readonly routes?: ServerOptions['routes'];
}

export async function startApi(options: TestApiOptions = {}): Promise<TestApi> {
  const kv = options.kv ?? createMemoryStore({ clock, random }).connect();
  const lines: LogLine[] = [];
  const log = createLog({
    write: (line) => void lines.push(JSON.parse(line) as LogLine),
    nowMs: clock.nowMs,
    level: 'debug',
  });
  const context = createApiContext({ kv, clock, random, log, node: 'a', ...options.context });
  const server = createServer({ ...options.server, context, routes: options.routes ?? ROUTES });
  const url = await server.listen({ host: '127.0.0.1', port: 0, backlog: LISTEN_BACKLOG });
  return {
    kv,
    url,
    port: Number(new URL(url).port),
    call: createCall(() => url, options.context?.protection),
    log: lines,
    close: () => server.close(),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      if (options.kv === undefined) await kv.close();
    },
  };
}
