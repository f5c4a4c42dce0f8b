// The members, or roles of them, that people mean: as the cluster is at that moment.

import { RigError } from '../../base/errors.ts';
import type { Role } from '../../model/volume.ts';
import type { Act, ContainerState } from '../deployment.ts';
import { CONTAINER_ACTS } from '../faults/acts.ts';
import type { Site } from '../faults/fault.ts';
import { isDrawn, select } from '../faults/select.ts';
import { parseTarget } from '../faults/target.ts';
import { allMembers, presentNodes } from '../topology.ts';

export interface Target {
  readonly member: string;
  readonly role?: Role;
}

/** `node1`, `engine of node1`. */
export const describeTarget = ({ member, role }: Target): string =>
  role === undefined ? member : `${role} of ${member}`;

/**
 * Each once. Of those that are drawn (`all`, `one`) only those that the act can be done to. Throws `not_found` where
 * nobody is meant.
 */
export async function resolveTargets(
  site: Site,
  texts: readonly string[],
  act: Act,
): Promise<readonly Target[]> {
  const found = new Map<string, Target>();
  for (const text of texts) {
    const { on, role } = parseTarget(text);
    const members = isDrawn(on) ? await drawn(site, on, act, role) : [named(site, on)];
    for (const member of members) {
      const target = { member, ...(role !== undefined && { role }) };
      found.set(describeTarget(target), target);
    }
  }
  return [...found.values()];
}

async function drawn(site: Site, on: string, act: Act, role: Role | undefined): Promise<readonly string[]> {
  const { deployment, random } = site;
  const { topology } = deployment;
  const view = await site.view();
  // One that is down can be started, though nobody would hit it.
  const isBack = act === 'start' || act === 'resume';
  const nodes = isBack ? presentNodes(topology).map(({ name }) => name) : view.nodes;
  const able = async (members: readonly string[]): Promise<readonly string[]> => {
    if (role !== undefined) return members;
    const states = await Promise.all(members.map((member) => deployment.state(member)));
    return members.filter((_, index) => canBe(act, states[index] ?? 'absent'));
  };
  return select(on, { ...view, nodes: await able(nodes), etcd: await able(view.etcd) }, random);
}

const canBe = (act: Act, state: ContainerState): boolean => !CONTAINER_ACTS[act].refusedIn.includes(state);

function named({ deployment }: Site, name: string): string {
  const all = allMembers(deployment.topology);
  if (all.includes(name)) return name;
  throw new RigError('not_found', `the cluster has no member '${name}'`, {
    next: `Choose one of ${all.join(', ')}, or what it is: leader, follower, one, all, etcd-leader and so on.`,
  });
}
