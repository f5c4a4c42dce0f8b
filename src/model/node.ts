// Nodes and the leader as etcd holds them.

import { z } from 'zod';
import { labelsSchema, nodeNameSchema } from './names.ts';
import { roleSchema } from './volume.ts';

/** `nodes/<name>`: alive for as long as the agent renews the key's lease. Sizes in GiB. */
export const nodeSchema = z
  .strictObject({
    name: nodeNameSchema,
    address: z.string().min(1).max(255).meta({ description: 'Host name or IP address that serves NFS.' }),
    labels: labelsSchema,
    capacity: z.number().positive().meta({ description: 'GiB that may be reserved.' }),
    available: z.number().nonnegative().meta({ description: 'GiB that the disk has free.' }),
    roles: z.array(roleSchema),
    virtual: z.boolean().meta({ description: 'True for a simulated node, which has no disk.' }),
    started_at: z.iso.datetime(),
  })
  .meta({ description: 'A live node.' });

export type Node = z.infer<typeof nodeSchema>;

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
