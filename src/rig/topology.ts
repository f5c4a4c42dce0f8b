// What a cluster consists of, as data. Everything else (compose file, bounds of
// the checks, targets of the faults) is derived from it.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { parseFailpoints } from '../base/failpoints.ts';
import { labelsSchema, nodeNameSchema } from '../model/names.ts';
import { fieldErrors } from '../model/parse.ts';
import { ROLES, roleSchema } from '../model/volume.ts';

function isFailpoints(text: string): boolean {
  try {
    parseFailpoints(text);
    return true;
  } catch {
    return false;
  }
}

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
]);

export const topologySchema = z
  .strictObject({
    etcd: z.strictObject({ members: z.literal(1) }).default({ members: 1 }),
    nodes: z.array(nodeSchema).min(1).max(32),
    consumers: z.array(nodeNameSchema).max(16).default([]),
    settings: z
      .strictObject({
        /** Of the engine's and the agents' leases. etcd grants no less than 2 s. */
        leaseTtlSeconds: z.int().min(2).max(60).default(3),
        /** How often an agent compares disk, exports and etcd without being told to. */
        reconcileIntervalMs: z.int().min(100).max(600_000).default(1_000),
        /** How long a deleted volume stays in the trash. */
        trashRetentionMs: z.int().min(0).default(86_400_000),
        /** For every daemon: base/failpoints.ts. */
        failpoints: z.string().refine(isFailpoints, 'must be failpoints such as name=sleep(100)').default(''),
      })
      .prefault({}),
    system: systemSchema.default({ kind: 'source' }),
  })
  .refine(
    (topology) => {
      const names = ['etcd', ...topology.nodes.map((node) => node.name), ...topology.consumers];
      return new Set(names).size === names.length;
    },
    { message: 'must have names that differ from each other, from consumers and from etcd', path: ['nodes'] },
  );

export type Topology = z.output<typeof topologySchema>;
export type TopologyInput = z.input<typeof topologySchema>;
export type TopologyNode = Topology['nodes'][number];

/** Validates and fills in defaults; throws `invalid`, naming the field. */
export function parseTopology(input: unknown, source: string): Topology {
  const result = topologySchema.safeParse(input);
  if (result.success) return result.data;
  const [first] = fieldErrors(result.error);
  const field = first === undefined || first.path === '' ? 'the topology' : `'${first.path}'`;
  throw new RigError('invalid', `${source}: ${field} ${first?.message ?? 'is malformed'}`, {
    next: "Correct it; README's section on topologies lists the fields.",
  });
}
