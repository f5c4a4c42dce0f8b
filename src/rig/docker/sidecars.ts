// Companions of members: each a container in the network namespace of its member,
// with the right to change that network, which the member itself has not.

import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { RUN_LABEL } from '../compose/render.ts';
import { type Containers, demultiplexed, engine, execIn } from './containers.ts';

/** A member's network as it is now. */
export interface Network {
  /** Another one after each start of the member. */
  readonly id: string;
  readonly address: string;
}

export interface Sidecars {
  /** Undefined while the member has none, because it does not run. */
  network(member: string): Promise<Network | undefined>;
  /**
   * Starts the sidecar when the member's network has none yet; resolves when it listens. Throws `unavailable` for a
   * member that does not run, or ended meanwhile.
   */
  ready(member: string): Promise<void>;
  /** Resolves to stdout; starts the sidecar as {@link ready} does. Throws `machine` when the command fails. */
  run(member: string, command: readonly string[]): Promise<string>;
  /** Runs a command to its end in a network of its own, where there is nobody else. */
  runAlone(command: readonly string[]): Promise<string>;
  /** Starts no more, and resolves when none is being started. */
  end(): Promise<void>;
}

interface Sidecar {
  readonly network: string;
  readonly container: Docker.Container;
}

/** A TUN device (images/links/sidecar.pl) is made with MKNOD, and used by NET_ADMIN; raw sockets are NET_RAW's. */
const RIGHTS = {
  CapDrop: ['ALL'],
  CapAdd: ['MKNOD', 'NET_ADMIN', 'NET_RAW'],
  SecurityOpt: ['no-new-privileges:true'],
  DeviceCgroupRules: ['c 10:200 rwm'],
  // What it delays shall leave in time, also where the members keep every core busy. The default is 1,024.
  CpuShares: 65_536,
};

/** Seconds, on a machine that is busy. */
const HEARS_OF_AN_END_WITHIN_MS = 10_000;

export function createSidecars(options: {
  readonly docker: Docker;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly containers: Containers;
  readonly image: string;
  readonly project: string;
  readonly runId: string;
}): Sidecars {
  const { docker, clock, containers, image, project, runId } = options;
  const sidecars = new Map<string, Promise<Sidecar>>();
  const labels = { [RUN_LABEL]: runId };
  let ended = false;

  const network: Sidecars['network'] = async (member) => {
    try {
      const { State, NetworkSettings } = await containers.inspect(member);
      const address = Object.values(NetworkSettings.Networks)[0]?.IPAddress;
      return State.Running && address ? { id: NetworkSettings.SandboxID, address } : undefined;
    } catch (error) {
      if (hasCode(error, 'not_found')) return undefined;
      throw error;
    }
  };

  const runIn = async (
    container: Docker.Container,
    member: string,
    command: readonly string[],
  ): Promise<string> => {
    const name = `the sidecar of ${member}`;
    const { exitCode, stdout, stderr } = await execIn(docker, container, name, command);
    if (exitCode === 0) return stdout;
    throw new RigError('machine', `${name} failed: ${(stderr || stdout).trim()}`, {
      next: 'Run rig doctor to see what the machine lacks.',
    });
  };

  /** Of the member's network before; or of a start that failed, because the member ended meanwhile. */
  const removeNamed = async (name: string): Promise<void> => {
    try {
      await docker.getContainer(name).remove({ force: true });
    } catch (error) {
      if ((error as { statusCode?: number }).statusCode !== 404) throw error;
    }
  };

  const start = async (member: string, before: Promise<Sidecar> | undefined): Promise<Sidecar> => {
    const old = await before?.catch(() => undefined);
    const now = await network(member);
    if (now === undefined) throw new RigError('unavailable', `${member} has no network now: it does not run`);
    if (old?.network === now.id) return old;
    if (ended) throw new RigError('aborted', 'the cluster is being taken down');
    try {
      const container = await create(member);
      return { network: now.id, container };
    } catch (error) {
      if (!(await endsSoon(member, now.id))) throw error;
      throw new RigError('unavailable', `${member} ended while its sidecar was being started`, {
        cause: error,
      });
    }
  };

  /** In the member's network. */
  const create = async (member: string): Promise<Docker.Container> => {
    const host = await containers.get(member);
    return engine(`start the sidecar of ${member}`, async () => {
      const name = `${project}-${member}-links`;
      await removeNamed(name);
      const container = await docker.createContainer({
        name,
        Image: image,
        Labels: labels,
        HostConfig: { ...RIGHTS, NetworkMode: `container:${host.id}` },
      });
      await container.start();
      await runIn(container, member, ['perl', '/opt/cobalt/probe.pl', 'ask', 'hello']);
      return container;
    });
  };

  /** The engine says of a member whose processes are dead that it runs, until it has heard of that. */
  const endsSoon = async (member: string, id: string): Promise<boolean> => {
    try {
      await waitFor({
        clock,
        what: `the network of ${member} to be gone`,
        timeoutMs: HEARS_OF_AN_END_WITHIN_MS,
        probe: async () => ((await network(member))?.id === id ? undefined : true),
      });
      return true;
    } catch (error) {
      if (hasCode(error, 'timeout')) return false;
      throw error;
    }
  };

  const sidecarOf = (member: string): Promise<Sidecar> => {
    const started = start(member, sidecars.get(member));
    sidecars.set(member, started);
    return started;
  };

  return {
    network,
    ready: async (member) => void (await sidecarOf(member)),
    run: async (member, command) => runIn((await sidecarOf(member)).container, member, command),
    runAlone: (command) =>
      engine(`run ${command.join(' ')}`, async () => {
        const container = await docker.createContainer({
          Image: image,
          Labels: labels,
          Cmd: [...command],
          HostConfig: { ...RIGHTS, NetworkMode: 'none' },
        });
        try {
          await container.start();
          await container.wait();
          const raw = await container.logs({ stdout: true, stderr: false, follow: false });
          return demultiplexed(raw as unknown as Buffer);
        } finally {
          await container.remove({ force: true });
        }
      }),
    end: async () => {
      ended = true;
      await Promise.allSettled(sidecars.values());
    },
  };
}
