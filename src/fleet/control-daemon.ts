// An API and an engine for a fleet that has none: Cobalt's daemon as it is, with those two
// roles, as a child.

import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { waitFor } from '../base/retry.ts';
import type { Network } from '../network/network.ts';
import { startChild, untilReady } from './child.ts';
import { freePort } from './etcd-binary.ts';

const MAIN = join(import.meta.dirname, '../daemon/main.ts');
const ANSWERS_WITHIN_MS = 30_000;

export interface ControlDaemon extends AsyncDisposable {
  readonly url: string;
}

/** Resolves when its API answers. `folder` takes its log (`control.log`). */
export async function startControlDaemon(options: {
  readonly clock: Clock;
  readonly network: Network;
  readonly name: string;
  readonly folder: string;
  readonly etcd: readonly string[];
  /** More that it is to be told of etcd. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}): Promise<ControlDaemon> {
  const { clock, network, name, folder, etcd, variables } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(folder, 'control.log');
  const child = await startChild({
    ...{ clock, command: process.execPath, args: [MAIN], logFile },
    environment: {
      ...variables,
      COBALT_NODE_NAME: name,
      COBALT_ROLES: 'api,engine',
      COBALT_ETCD_ENDPOINTS: etcd.join(','),
      COBALT_API_PORT: String(port),
      // A fleet is there to be worked, from one address.
      COBALT_API_RATE_PER_SECOND: '0',
      COBALT_STORAGE: 'memory',
      COBALT_EXPORTER: 'memory',
      // Of an agent, which it has not; two daemons must not have the same.
      COBALT_VOLUME_PATH: `/nowhere/${name}`,
    },
  });
  await untilReady(child, {
    what: 'the daemon for API and engine',
    next: `Look into ${logFile}, or go without it (--no-control).`,
    ready: (signal) =>
      waitFor({
        ...{ clock, signal },
        what: `${url}/healthz to answer`,
        timeoutMs: ANSWERS_WITHIN_MS,
        probe: async () => {
          const { status } = await network.call({ method: 'GET', url: `${url}/healthz`, timeoutMs: 1000 });
          return status === 200 || undefined;
        },
      }),
  });
  return { url, [Symbol.asyncDispose]: child.stop };
}
