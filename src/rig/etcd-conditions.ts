// What a scenario can wait for of etcd's members.

import type { Deployment } from './deployment.ts';
import type { Observation } from './observation.ts';
import { etcdMembers } from './topology.ts';

const ENDPOINT = ['etcdctl', '--dial-timeout=1s', '--command-timeout=2s', 'endpoint'];

/** Reads linearizably at each member, from inside its container: it then has a quorum and has caught up. */
export async function observeEtcd(deployment: Deployment, which: string): Promise<Observation> {
  const members = etcdMembers(deployment.topology).filter((name) => which === 'all' || which === name);
  const answers = await Promise.all(
    members.map(async (name) => {
      try {
        const { exitCode, stderr } = await deployment.exec(name, [...ENDPOINT, 'health']);
        return exitCode === 0 ? [] : [`${name}: ${stderr.trim().split('\n').at(-1)}`];
      } catch (error) {
        // Nothing can be run in a container that does not run, or is frozen.
        if ((await deployment.state(name)) === 'running') throw error;
        return [`${name} does not run`];
      }
    }),
  );
  const bad = answers.flat();
  const holds = members.length > 0 && bad.length === 0;
  return { holds, seen: bad.join('; ') || (holds ? 'all do' : `there is no member ${which}`) };
}

/** The member that leads, by the word of those given; undefined when they don't know of one. */
export async function etcdLeader(
  deployment: Deployment,
  members: readonly string[],
): Promise<string | undefined> {
  const asked = await Promise.all(
    members.map(async (name) => {
      // One that has ended meanwhile leads nobody.
      const answer = await deployment
        .exec(name, [...ENDPOINT, 'status', '-w', 'fields'])
        .catch(() => undefined);
      if (answer === undefined) return undefined;
      const { exitCode, stdout } = answer;
      const field = (key: string): string | undefined =>
        new RegExp(`^"${key}" : (\\d+)$`, 'm').exec(stdout)?.[1];
      return exitCode === 0 ? { name, id: field('MemberID'), leader: field('Leader') } : undefined;
    }),
  );
  return asked.find((one) => one !== undefined && one.leader !== undefined && one.id === one.leader)?.name;
}
