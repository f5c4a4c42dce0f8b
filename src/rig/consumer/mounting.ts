// A consumer that mounts: which kernel does it, and the events that it follows meanwhile.

import { networkInterfaces } from 'node:os';
import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { type Follower, startFollower } from '../follower.ts';
import { fetchHttp } from '../http.ts';
import { type AgentPlace, askOnce } from './agent-client.ts';
import { bootMachine } from './machine.ts';
import {
  HOST_AGENT,
  type MountRequest,
  type MountState,
  type RunAnswer,
  type RunRequest,
} from './mount-protocol.ts';
import { createMounts, type Kernel, type Mounts } from './mounts.ts';
import { createOpenFiles, type OpenFiles } from './open-files.ts';

/** Where nodes answer, on the cluster's own network. */
const API_PORT = 8_080;
/** Asked one after the other. */
const FOLLOWS_WITHIN_MS = 15_000;

export interface Mounting {
  readonly mounts: Mounts;
  readonly files: OpenFiles;
  mount(request: MountRequest): Promise<MountState>;
  /** Where the mounts are. */
  run(request: RunRequest): Promise<RunAnswer>;
  /** Boots what it takes to mount; a mount then doesn't wait for it. */
  prepare(): Promise<Kernel>;
}

export function createMounting(options: {
  readonly clock: Clock;
  readonly log: Log;
  readonly hostname: string;
}): Mounting {
  const { clock, log, hostname } = options;
  const place: AgentPlace = { clock, port: HOST_AGENT.port };
  const mounts = createMounts({ clock, log });
  const files = createOpenFiles({ clock, mounts });
  let kernel: Promise<Kernel> | undefined;
  let follower: Follower | undefined;

  const boot = async (): Promise<Kernel> => {
    // Whoever may mount by the host's kernel is there before anything is asked of the consumer.
    if (await isAgentThere(place)) return { ...place, by: 'host' };
    const machine = await bootMachine({ clock, hostname, port: HOST_AGENT.port });
    const { accelerator, bootMs } = machine;
    log.info('machine.ready', { accelerator, bootMs });
    void machine.ended.then((said) => {
      log.warn('machine.ended', { said });
      kernel = undefined;
      mounts.lose(`the virtual machine ended: ${said}`);
    });
    return { ...place, by: `vm (${accelerator})` };
  };
  const prepare = (): Promise<Kernel> => {
    kernel ??= boot().catch((error: unknown) => {
      kernel = undefined;
      throw error;
    });
    return kernel;
  };
  const follow = (nodes: readonly string[]): Promise<void> => {
    follower ??= startFollower({
      clock,
      // What it was told is on record where something follows from it.
      journal: { atMs: clock.monotonicMs, record: () => undefined },
      deployment: { api: async (node) => `http://${node}:${API_PORT}`, fetch: fetchHttp },
      consumer: hostname,
      address: ownAddress(),
      nodes,
      onTold: (told) => mounts.hear(told),
    });
    return follower.opened;
  };
  const followed = (nodes: readonly string[]): Promise<void> => {
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(FOLLOWS_WITHIN_MS, () =>
      late.reject(new RigError('unavailable', `no API of ${nodes.join(', ')} opens a stream of events`)),
    );
    return Promise.race([follow(nodes), late.promise]).finally(cancel);
  };

  return {
    mounts,
    files,
    prepare,
    mount: async (request) => {
      // First: what happens to the volume from now on is told.
      const [found] = await Promise.all([prepare(), followed(request.follow)]);
      return mounts.mount(found, request);
    },
    run: async ({ command, timeoutMs }) => {
      const found = await askOnce(await prepare(), ['run', ...command], timeoutMs);
      const [exitCode, stdout, stderr] = [found.answer, found.stdout, found.stderr].map(String);
      return { exitCode: Number(exitCode), stdout: stdout ?? '', stderr: stderr ?? '' };
    },
  };
}

async function isAgentThere(place: AgentPlace): Promise<boolean> {
  try {
    await askOnce(place, ['hello']);
    return true;
  } catch (error) {
    if (hasCode(error, 'unavailable')) return false;
    throw error;
  }
}

/** On the cluster's network, its only one. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  const outside = all.filter(({ internal }) => !internal);
  return (outside.find(({ family }) => family === 'IPv4') ?? outside[0])?.address ?? '127.0.0.1';
}
