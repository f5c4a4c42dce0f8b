// The members of a cluster in containers, as its topology has them and the engine tells of them.

import { ROLES, type Role } from '../../model/volume.ts';
import type { ContainerState } from '../deployment.ts';
import { etcdMembers, presentNodes, type Topology } from '../topology.ts';
import type { MemberItem, MemberState, RoleCondition } from './items.ts';
import type { SeenMember } from './view.ts';

/** One that the engine has. */
export interface ContainedMember {
  readonly name: string;
  readonly state: ContainerState;
  /** Undefined where nobody could tell. */
  readonly roles: ReadonlyMap<Role, RoleCondition> | undefined;
  readonly url: string | null;
  readonly address: string | null;
}

const STATES: Readonly<Record<ContainerState, MemberState>> = {
  ...{ running: 'running', paused: 'frozen', exited: 'down', created: 'down', absent: 'absent' },
};

/** Those of the topology, etcd's first; then whoever else is there. `before`: what was known of them last. */
export function membersOf(
  topology: Topology,
  contained: readonly ContainedMember[],
  before: readonly SeenMember[] = [],
): readonly SeenMember[] {
  const found = new Map(contained.map((member) => [member.name, member]));
  const wanted = [
    ...etcdMembers(topology).map((name) => ({ name, kind: 'etcd' as const })),
    ...presentNodes(topology).map(({ name }) => ({ name, kind: 'node' as const })),
    ...topology.consumers.map((name) => ({ name, kind: 'consumer' as const })),
  ];
  const names = new Set(wanted.map(({ name }) => name));
  const others = contained
    .filter(({ name }) => !names.has(name))
    .map(({ name }) => ({ name, kind: 'node' as const }));
  return [...wanted, ...others].map(({ name, kind }) => {
    const member = found.get(name);
    const state = STATES[member?.state ?? 'absent'];
    const known = before.find((one) => one.name === name);
    const roles = kind === 'node' ? rolesOf(topology, { name, member, before: known?.roles ?? {} }) : {};
    const address = member?.address ?? known?.address ?? null;
    return { name, kind, state, roles, url: member?.url ?? null, address };
  });
}

/** What it is to run; of a member that doesn't run, all are down. */
function rolesOf(
  topology: Topology,
  one: {
    readonly name: string;
    readonly member: ContainedMember | undefined;
    readonly before: MemberItem['roles'];
  },
): MemberItem['roles'] {
  const { name, member, before } = one;
  const wanted = topology.nodes.find((node) => node.name === name)?.roles ?? ROLES;
  const conditionOf = (role: Role): RoleCondition => {
    // In a container that is frozen nobody looks.
    if (member?.state === 'paused') return 'frozen';
    if (member?.state !== 'running') return 'down';
    return member.roles === undefined ? (before[role] ?? 'running') : (member.roles.get(role) ?? 'down');
  };
  return Object.fromEntries(wanted.map((role) => [role, conditionOf(role)]));
}
