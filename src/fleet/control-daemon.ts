// An API and an engine for a fleet that has none: Cobalt's daemon as it is, with those two
// roles, as a child that ends with us.

import { spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import type { Network } from '../network/network.ts';
import { freePort } from './etcd-binary.ts';

const MAIN = join(import.meta.dirname, '../daemon/main.ts');
const STARTS_WITHIN_MS = 20_000;
const STOPS_WITHIN_MS = 8000;

export interface ControlDaemon extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
}

/** Resolves when its API answers. `folder` takes its log (`control.log`). */
export async function startControlDaemon(options: {
  readonly clock: Clock;
  readonly network: Network;
  readonly name: string;
  readonly folder: string;
  readonly etcd: readonly string[];
}): Promise<ControlDaemon> {
  const { clock, network, name, folder, etcd } = options;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  await using log = await open(join(folder, 'control.log'), 'a');
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['ignore', log.fd, log.fd],
    // Ctrl-C is for us, who tell it when the agents have said good-bye.
    detached: true,
    env: {
      COBALT_NODE_NAME: name,
      COBALT_ROLES: 'api,engine',
      COBALT_ETCD_ENDPOINTS: etcd.join(','),
      COBALT_API_PORT: String(port),
      // A fleet is there to be worked, from one address.
      COBALT_API_RATE_PER_SECOND: '0',
      COBALT_STORAGE: 'memory',
      COBALT_EXPORTER: 'memory',
      COBALT_VOLUME_PATH: `/nowhere/${name}`,
    },
  });
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  void ended.then(() => process.off('exit', killAtExit));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const cancel = clock.after(STOPS_WITHIN_MS, () => child.kill('SIGKILL'));
    await ended;
    cancel();
  };
  const failed = ended.then((why) => {
    throw new RigError('machine', `the daemon for API and engine could not be started: ${why}`, {
      next: `Look into ${join(folder, 'control.log')}, or go without it (--no-control).`,
    });
  });
  const answers = waitFor({
    clock,
    what: `${url}/healthz`,
    timeoutMs: STARTS_WITHIN_MS,
    probe: async () =>
      (await network.call({ method: 'GET', url: `${url}/healthz`, timeoutMs: 1000 })).status === 200 ||
      undefined,
  });
  try {
    await Promise.race([failed, answers]);
    return { url, pid: child.pid ?? 0, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
