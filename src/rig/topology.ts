// What a cluster consists of, as data. Everything else (compose file, bounds of
// the checks, targets of the faults) is derived from it.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { parseFailpoints } from '../base/failpoints.ts';
import { labelsSchema, nodeNameSchema } from '../model/names.ts';
import { fieldErrors } from '../model/parse.ts';
import { ROLES, roleSchema } from '../model/volume.ts';

/** For every daemon: base/failpoints.ts, whose own words say what is wrong. */
const failpointsSchema = z.string().superRefine((text, context) => {
  try {
    parseFailpoints(text);
  } catch (error) {
    const { message, next } = RigError.from(error);
    context.addIssue({ code: 'custom', message: `${message}. ${next}` });
  }
});

const restartSchema = z.enum(['always', 'never']);

const nodeSchema = z.strictObject({
  name: nodeNameSchema,
  roles: z
    .array(roleSchema)
    .min(1)
    .default([...ROLES]),
  /** GiB that may be reserved; the disk image is made a quarter larger, sparse. */
  capacityGib: z.number().min(1).max(1024).default(8),
  labels: labelsSchema.default({}),
  /** What the supervisor does when a role's process ends. */
  restart: z
    .strictObject({
      api: restartSchema.default('always'),
      engine: restartSchema.default('always'),
      agent: restartSchema.default('always'),
    })
    .prefault({}),
  /** `breakable`: it can be made to fail or to slow down, and every access costs more. */
  disk: z.enum(['plain', 'breakable']).default('plain'),
  /** `own`: the daemon's wall clock can be set wrong, and costs more to read. */
  clock: z.enum(['host', 'own']).default('host'),
  /** `later`: it is not started with the cluster, and joins when it is told to. */
  starts: z.enum(['now', 'later']).default('now'),
});

/** Where the daemon under test comes from. */
const systemSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('source') }),
  z.strictObject({
    kind: z.literal('image'),
    image: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._/:@-]{0,254}$/, 'must be the name of an image, such as cobalt:1.2'),
  }),
  z.strictObject({
    kind: z.literal('path'),
    /** A checkout, or the daemon's entry in one. */
    path: z.string().regex(/^\.{0,2}\/[^\0]{0,1023}$/, 'must be a path that begins with /, ./ or ../'),
  }),
]);

const MAX_MEMBERS = 5;

/** `etcd` alone, or `etcd1`, `etcd2` and so on. */
const etcdNames = (members: number): readonly string[] =>
  members === 1 ? ['etcd'] : Array.from({ length: members }, (_, index) => `etcd${index + 1}`);

/** A topology may get more members of etcd; no node is to be renamed for it. */
const RESERVED = ['etcd', ...etcdNames(MAX_MEMBERS)];

/** Enough to tell whether names differ, whatever else is wrong. */
const namedSchema = z.object({
  nodes: z.array(z.object({ name: z.string() })),
  consumers: z.array(z.string()).default([]),
});

export const topologySchema = z
  .strictObject({
    etcd: z.strictObject({ members: z.literal([1, 3, 5]) }).default({ members: 1 }),
    nodes: z.array(nodeSchema).min(1).max(512),
    consumers: z.array(nodeNameSchema).max(16).default([]),
    settings: z
      .strictObject({
        /** Of the engine's and the agents' leases. etcd grants no less than 2 s. */
        leaseTtlSeconds: z.int().min(2).max(60).default(3),
        /** How often an agent compares disk, exports and etcd without being told to. */
        reconcileIntervalMs: z.int().min(100).max(600_000).default(1_000),
        /** How long a deleted volume stays in the trash. */
        trashRetentionMs: z.int().min(0).default(86_400_000),
        /** Moves under way at a time that no client asked for. */
        maxMoves: z.int().min(0).max(1_000).default(2),
        /** How far above the average a node's reservations may be, in per cent of its capacity; 100: no volume moves for it. */
        rebalancePercent: z.int().min(1).max(100).default(20),
        failpoints: failpointsSchema.default(''),
        /** Whether they can be switched while daemons run, by the fault `failpoint`. */
        failpointSwitches: z.boolean().default(false),
      })
      .prefault({}),
    system: systemSchema.default({ kind: 'source' }),
  })
  .refine(
    (topology) => {
      const { nodes, consumers } = namedSchema.parse(topology);
      const names = [...RESERVED, ...nodes.map((node) => node.name), ...consumers];
      return new Set(names).size === names.length;
    },
    {
      message: 'must have names that differ from each other, from consumers and from etcd',
      path: ['nodes'],
      when: ({ value }) => namedSchema.safeParse(value).success,
    },
  );

export type Topology = z.output<typeof topologySchema>;
export type TopologyInput = z.input<typeof topologySchema>;
export type TopologyNode = Topology['nodes'][number];

/** The names of etcd's members: their services, hosts and targets of faults. */
export const etcdMembers = ({ etcd }: Pick<Topology, 'etcd'>): readonly string[] => etcdNames(etcd.members);

/** The nodes that are in the cluster by now: all but those that are to join later. */
export const presentNodes = ({ nodes }: Topology): readonly TopologyNode[] =>
  nodes.filter(({ starts }) => starts === 'now');

/** With the node in the cluster by now, be it new or one that was to join later. */
export const withNode = (topology: Topology, node: TopologyNode): Topology => ({
  ...topology,
  nodes: [...withoutNode(topology, node.name).nodes, { ...node, starts: 'now' }],
});

export const withoutNode = (topology: Topology, name: string): Topology => ({
  ...topology,
  nodes: topology.nodes.filter((node) => node.name !== name),
});

/** Every member by name, those that are to join later included. */
export const allMembers = (topology: Topology): readonly string[] => [
  ...etcdMembers(topology),
  ...topology.nodes.map(({ name }) => name),
  ...topology.consumers,
];

/** Validates and fills in defaults; throws `invalid`, naming every field at fault. */
export function parseTopology(input: unknown, source: string): Topology {
  const result = topologySchema.safeParse(input);
  if (result.success) return result.data;
  const faults = fieldErrors(result.error).map(
    ({ path, message }) => `${path === '' ? 'the topology' : `'${path}'`} ${message}`,
  );
  throw new RigError('invalid', `${source}: ${faults.join('; ')}`, {
    next: `Correct ${faults.length === 1 ? 'it' : 'them'}; README's section on topologies lists the fields.`,
  });
}

/**
 * What nodes take beyond what the settings say to start and be well, by the work clock (checks/work-clock.ts), with
 * their supervisor's longest backoff (5 s) before it.
 */
export const RECOVERY_MS = 15_000;
