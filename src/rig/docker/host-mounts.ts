// Mounts by the host's own kernel, where that has an NFS client: a companion of the consumer, in its
// network, has the right to mount, which the consumer itself has not.

import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { waitFor } from '../../base/retry.ts';
import { RUN_LABEL } from '../compose/render.ts';
import { HOST_AGENT } from '../consumer/mount-protocol.ts';
import { demultiplexed, engine } from './containers.ts';
import { isStatus } from './progress.ts';

/** AppArmor's profile for containers forbids every mount. */
const RIGHTS = {
  CapDrop: ['ALL'],
  CapAdd: ['SYS_ADMIN', 'NET_BIND_SERVICE'],
  SecurityOpt: ['no-new-privileges:true', 'apparmor=unconfined'],
};
const STARTS_WITHIN_MS = 10_000;

export interface Mounter {
  readonly docker: Docker;
  readonly clock: Clock;
  /** The consumer's container. */
  readonly container: string;
  readonly runId: string;
}

/**
 * Resolves, once it listens, to whether there is one: not where the host's kernel has no NFS client.
 * One that is there already is left as it is.
 */
export async function startHostMounter(mounter: Mounter): Promise<boolean> {
  const { docker, container, runId } = mounter;
  return engine('start what mounts by the host', async () => {
    const consumer = await docker.getContainer(container).inspect();
    const name = `${consumer.Name.replace(/^\//, '')}-mounts`;
    // By the start of the consumer: its network is another one after each.
    const network = `${consumer.Id} ${consumer.State.StartedAt}`;
    const before = await docker
      .getContainer(name)
      .inspect()
      .catch((error: unknown) => {
        if (!isStatus(error, 404)) throw error;
      });
    if (before?.State.Running === true && before.Config.Labels[NETWORK_LABEL] === network) return true;
    if (before !== undefined) await docker.getContainer(name).remove({ force: true });
    const made = await docker.createContainer({
      name,
      Image: consumer.Image,
      Labels: { [RUN_LABEL]: runId, [NETWORK_LABEL]: network },
      Env: ['PATH=/opt/vm/bin:/usr/local/bin:/usr/bin:/bin'],
      Cmd: ['perl', '/opt/vm/agent.pl', '127.0.0.1', String(HOST_AGENT.port)],
      HostConfig: { ...RIGHTS, NetworkMode: `container:${consumer.Id}` },
    });
    await made.start();
    if (await listens(mounter, made)) return true;
    await made.remove({ force: true });
    return false;
  });
}

const NETWORK_LABEL = 'dev.cobalt-rig.network';

/** False once it has ended, as it does where it can't mount. */
async function listens({ clock }: Mounter, made: Docker.Container): Promise<boolean> {
  let said = '';
  return waitFor({
    clock,
    what: 'the agent that mounts by the host to listen',
    timeoutMs: STARTS_WITHIN_MS,
    intervalMs: 25,
    probe: async () => {
      const { State } = await made.inspect();
      const raw = await made.logs({ stdout: true, stderr: true, follow: false });
      said = demultiplexed(raw as unknown as Buffer);
      if (said.includes(HOST_AGENT.ready)) return true;
      return State.Running ? undefined : false;
    },
    describe: () => said.trim() || 'nothing was said',
  });
}
