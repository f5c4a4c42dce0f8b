// What a scenario can wait for of etcd's members.

import type { Deployment } from './deployment.ts';
import type { Observation } from './observation.ts';
import { etcdMembers } from './topology.ts';

/** Reads linearizably at each member: it then has a quorum and has caught up. */
export async function observeEtcd(deployment: Deployment, which: string): Promise<Observation> {
  const members = etcdMembers(deployment.topology).filter((name) => which === 'all' || which === name);
  const answers = await Promise.all(
    members.map(async (name) => {
      try {
        const ailment = await deployment.store.ailment(name);
        return ailment === undefined ? [] : [`${name}: ${ailment}`];
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
  const leading = await Promise.all(members.map((name) => deployment.store.leads(name)));
  return members.find((_, index) => leading[index]);
}
