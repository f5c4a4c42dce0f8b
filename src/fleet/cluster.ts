// A simulated cluster as it is declared: which nodes there are, of what kind, and which of
// them have power. Pure; cluster-file.ts keeps it.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { labelsSchema, nodeNameSchema } from '../model/names.ts';
import { profileSchema } from './profiles.ts';

/** Of the state folder. Another one is refused: what it means is another version's business. */
export const STATE_VERSION = 1;

/** Of one process; more of them may stand before one etcd, with names of their own. */
export const MOST_NODES = 25_000;

const nodeDeclaration = z.strictObject({
  name: nodeNameSchema,
  profile: z.string(),
  /** Beside those of the profile. */
  labels: labelsSchema.default({}),
  /** GiB; null: as the profile says. */
  capacityGib: z.number().positive().nullable().default(null),
  power: z.enum(['on', 'off']),
  /** Counts the power cycles that were asked for. */
  cycles: z.int().nonnegative().default(0),
  /** To be taken away: at once, or when its volumes are elsewhere. */
  leaving: z.enum(['no', 'drained', 'at-once']).default('no'),
});

export type DeclaredNode = z.output<typeof nodeDeclaration>;

/** A disk that several nodes see. It serves at the first of them that has power, with an agent of its own. */
const deviceDeclaration = z.strictObject({
  name: nodeNameSchema,
  profile: z.string(),
  /** Its home first. */
  seenBy: z.array(nodeNameSchema).min(2),
});

export type DeclaredDevice = z.output<typeof deviceDeclaration>;

export const clusterSchema = z
  .strictObject({
    version: z.literal(STATE_VERSION),
    /** The first part of new nodes' names. */
    prefix: nodeNameSchema,
    /** Empty: one of its own, in the state folder. */
    etcd: z.array(z.url()),
    heartbeatSeconds: z.int().min(1).max(200),
    reconcileIntervalMs: z.int().min(100).max(3_600_000),
    /** Until a shared device that has lost its node serves at the next. */
    failOverMs: z.int().nonnegative().max(600_000),
    /** Of nodes to come. */
    profile: z.string(),
    profiles: z.record(z.string(), profileSchema),
    nodes: z.array(nodeDeclaration).max(MOST_NODES),
    devices: z.array(deviceDeclaration),
  })
  .superRefine((cluster, context) => {
    const names = new Set<string>();
    for (const { name, profile } of [...cluster.nodes, ...cluster.devices]) {
      if (names.has(name)) context.addIssue({ code: 'custom', message: `has two members called ${name}` });
      names.add(name);
      if (!Object.hasOwn(cluster.profiles, profile))
        context.addIssue({ code: 'custom', message: `has no profile '${profile}', which ${name} is of` });
    }
    const nodes = new Set(cluster.nodes.map(({ name }) => name));
    for (const { name, seenBy } of cluster.devices) {
      const strange = seenBy.find((node) => !nodes.has(node));
      if (strange !== undefined)
        context.addIssue({ code: 'custom', message: `has no node ${strange}, which sees ${name}` });
    }
  });

export type Cluster = z.output<typeof clusterSchema>;

/** The number itself. Throws `invalid` for what is no number of nodes, or isn't what somebody `said`. */
export function checkedCount(count: number, said = String(count)): number {
  if (Number.isInteger(count) && count >= 1 && count <= MOST_NODES) return count;
  const next =
    count > MOST_NODES
      ? `Give at most ${MOST_NODES}, which is what one process carries; several may stand before one etcd, each with a --prefix of its own.`
      : `Give a whole number from 1 to ${MOST_NODES}.`;
  throw new RigError('invalid', `'${said}' is no number of nodes`, { next });
}

/** With as many nodes more as are missing, or those that came last leaving. Those that leave already don't count. */
export function scaled(cluster: Cluster, count: number, how: 'drained' | 'at-once'): Cluster {
  checkedCount(count);
  const staying = cluster.nodes.filter(({ leaving }) => leaving === 'no');
  if (count < staying.length) {
    const seeing = new Set(cluster.devices.flatMap(({ seenBy }) => seenBy));
    const going = new Set(
      staying
        .filter(({ name }) => !seeing.has(name))
        .slice(count - staying.length)
        .map(({ name }) => name),
    );
    if (staying.length - going.size > count) {
      throw new RigError('invalid', `${count} nodes are too few: ${seeing.size} of them see shared devices`, {
        next: `Keep at least ${seeing.size}.`,
      });
    }
    const nodes = cluster.nodes.map((node) => (going.has(node.name) ? { ...node, leaving: how } : node));
    return { ...cluster, nodes };
  }
  const taken = new Set([...cluster.nodes, ...cluster.devices].map(({ name }) => name));
  const nodes: DeclaredNode[] = [...cluster.nodes];
  for (let number = 1; nodes.length < cluster.nodes.length + count - staying.length; number += 1) {
    const name = memberName(cluster.prefix, number);
    if (!taken.has(name)) nodes.push(newNode(name, cluster.profile));
  }
  return { ...cluster, nodes };
}

export function newNode(name: string, profile: string): DeclaredNode {
  return { name, profile, labels: {}, capacityGib: null, power: 'on', cycles: 0, leaving: 'no' };
}

/** In the order of their numbers, too, when sorted as text. */
export function memberName(prefix: string, number: number): string {
  return `${prefix}-${String(number).padStart(5, '0')}`;
}

/** `number` devices more, each seen by as many nodes that are next to each other. */
export function withDevices(
  cluster: Cluster,
  { count, seenBy }: { readonly count: number; readonly seenBy: number },
): Cluster {
  const nodes = cluster.nodes.filter(({ leaving }) => leaving === 'no').map(({ name }) => name);
  if (!Number.isInteger(seenBy) || seenBy < 2 || seenBy > nodes.length) {
    throw new RigError('invalid', `a shared device can't be seen by ${seenBy} of ${nodes.length} nodes`, {
      next: `Give a whole number from 2 to the number of nodes.`,
    });
  }
  const devices = Array.from(
    { length: count },
    (_, index): DeclaredDevice => ({
      name: memberName(`${cluster.prefix}-shared`, cluster.devices.length + index + 1),
      profile: cluster.profile,
      seenBy: Array.from({ length: seenBy }, (_, at) => nodes[(index + at) % nodes.length] as string),
    }),
  );
  return { ...cluster, devices: [...cluster.devices, ...devices] };
}

export type PowerAct = 'on' | 'off' | 'cycle';

/** With the power of these nodes (null: of all) as asked for. Throws `not_found`, naming those that there aren't. */
export function powered(cluster: Cluster, act: PowerAct, names: readonly string[] | null): Cluster {
  const known = new Set(cluster.nodes.map(({ name }) => name));
  const strangers = (names ?? []).filter((name) => !known.has(name));
  if (strangers.length > 0) {
    throw new RigError('not_found', `there is no node ${strangers.slice(0, 5).join(', ')} in this cluster`, {
      next: 'See `rig sim status --nodes` for their names; a shared device has the power of the nodes that see it.',
    });
  }
  const chosen = names === null ? known : new Set(names);
  const switched = (node: DeclaredNode): DeclaredNode =>
    act === 'cycle' ? { ...node, power: 'on', cycles: node.cycles + 1 } : { ...node, power: act };
  const nodes = cluster.nodes.map((node) => (chosen.has(node.name) ? switched(node) : node));
  return { ...cluster, nodes };
}
