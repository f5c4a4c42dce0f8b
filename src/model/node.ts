// Nodes and the leader as etcd holds them.

import { z } from 'zod';
import { type Labels, labelsSchema, nodeNameSchema } from './names.ts';
import { keepParts } from './reader.ts';
import { LONGEST_REASON } from './reason.ts';
import { roleSchema } from './volume.ts';

/**
 * How a node's disk is. On anything but `ok` nothing new is put: `full` has less than 1 % or 64 MiB left,
 * `read-only` takes no writes, `failing` has answered one with an error.
 */
export const diskHealthSchema = z.strictObject({
  state: z.enum(['ok', 'full', 'read-only', 'failing']),
  /** Null when all is well. */
  reason: z.string().max(LONGEST_REASON).nullable(),
});

export type DiskHealth = z.infer<typeof diskHealthSchema>;

/** `nodes/<name>`: alive for as long as the agent renews the key's lease. Sizes in GiB. */
export const nodeSchema = z
  .strictObject({
    name: nodeNameSchema,
    address: z.string().min(1).max(255).meta({ description: 'Host name or IP address that serves NFS.' }),
    labels: labelsSchema,
    capacity: z.number().positive().meta({ description: 'GiB that may be reserved.' }),
    available: z.number().nonnegative().meta({ description: 'GiB that the disk has free.' }),
    roles: z.array(roleSchema),
    agent: z
      .url()
      .max(300)
      .nullable()
      .default(null)
      .meta({ description: 'Where other nodes reach its agent; null if it has no such address.' }),
    disk: diskHealthSchema.default({ state: 'ok', reason: null }),
    remains: z.int().nonnegative().nullable().default(null).meta({
      description:
        'Volumes of which its disk still holds what is not, or soon not, its own: what a move has left or will leave, copies, orphans. Null until the agent knows. A drained node may be taken away when `volumes.count` and this are 0.',
    }),
    virtual: z.boolean().meta({ description: 'True for a simulated node, which has no disk.' }),
    started_at: z.iso.datetime(),
  })
  .meta({ description: 'A live node.' });

keepParts(nodeSchema);

export type Node = z.infer<typeof nodeSchema>;

/**
 * What constraints are held against: the labels, and `virtual`, which every node has by what it is and not by what
 * anybody calls it. A volume that needs a disk asks for `virtual=false`.
 */
export function constrainableLabels(labels: Labels, { virtual }: Pick<Node, 'virtual'>): Labels {
  return { ...labels, virtual: String(virtual) };
}

/** `specs/<name>`: what a node was first started with; wins over later settings. */
export const nodeSpecSchema = z.strictObject({
  volume_path: z.string().min(1),
  capacity: z.number().positive(),
  labels: labelsSchema,
  draining: z.boolean(),
});

export type NodeSpec = z.infer<typeof nodeSpecSchema>;

/** `engine/leader`: its creation revision is the leader's term, the fencing token. */
export const leaderSchema = z.strictObject({
  node: nodeNameSchema,
  /** Tells two engine processes of one node apart. */
  instance: z.string().min(1),
  since: z.iso.datetime(),
});

export type Leader = z.infer<typeof leaderSchema>;
