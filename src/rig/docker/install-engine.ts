// Puts a Docker Engine on a Debian-like machine that has none, from its own
// packages, and starts it where no init system does.

import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { aptCandidate, aptInstall, aptUpdate, canInstallPackages } from './apt.ts';
import { commandSucceeds, lastLines, runCommand } from './command.ts';
import { connectEngine, type EngineOptions } from './engine.ts';

const LOG_FILE = '/var/log/cobalt-rig-dockerd.log';
const START_TIMEOUT_MS = 60_000;

/** `onProgress` gets one line a step. */
export interface InstallOptions {
  readonly clock: Clock;
  readonly engine: EngineOptions;
  readonly onProgress: (line: string) => void;
}

/** Makes an engine answer. Throws `machine` where the rig must not install one, or it doesn't start. */
export async function installEngine(options: InstallOptions): Promise<void> {
  if (!(await canInstallPackages())) {
    throw new RigError('machine', 'no Docker Engine answers, and this is not root on Debian or Ubuntu', {
      next: 'install Docker Engine 20.10 or newer with the Compose plugin, and start it',
    });
  }
  if (!(await commandSucceeds('dockerd', ['--version']))) {
    options.onProgress('installing docker.io with apt-get');
    await aptUpdate();
    // Since Debian 13 the client is a package of its own.
    const client = (await aptCandidate('docker-cli')) === undefined ? [] : ['docker-cli'];
    await aptInstall(['docker.io', ...client, 'iptables', 'ca-certificates']);
  }
  await startEngine(options);
}

async function startEngine(options: InstallOptions): Promise<void> {
  if (existsSync('/run/systemd/system')) {
    options.onProgress('starting docker.service');
    await runCommand('systemctl', ['start', 'docker.service']);
    await untilAnswers(options, async () => 'see `journalctl -u docker`');
    return;
  }
  options.onProgress('starting dockerd');
  // A session of its own and a file for its output: it outlives the script that started it.
  const logFd = openSync(LOG_FILE, 'a');
  const child = spawn('dockerd', [], { detached: true, cwd: '/', stdio: ['ignore', logFd, logFd] });
  let ended: string | undefined;
  child.on('error', (error) => {
    ended = error.message;
  });
  child.on('exit', (code, signal) => {
    ended = `dockerd ended with ${code ?? signal}`;
  });
  child.unref();
  await untilAnswers(options, async () => {
    const log = await readFile(LOG_FILE, 'utf8').catch(() => '');
    return `${ended ?? 'dockerd runs but does not answer'}; ${LOG_FILE}: ${lastLines(log, 5)}`;
  });
}

async function untilAnswers(options: InstallOptions, explain: () => Promise<string>): Promise<void> {
  try {
    await waitFor({
      clock: options.clock,
      what: 'the Docker Engine',
      timeoutMs: START_TIMEOUT_MS,
      intervalMs: 100,
      probe: () => connectEngine(options.engine),
    });
  } catch (error) {
    throw new RigError('machine', `the Docker Engine did not start: ${await explain()}`, {
      next: 'start dockerd by hand and see what it says',
      cause: error,
    });
  }
}
