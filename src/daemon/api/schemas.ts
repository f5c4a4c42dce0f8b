// The shapes of requests and responses that are not the model's own.

import { z } from 'zod';
import { exportRulesSchema } from '../../model/export.ts';
import { mountSchema } from '../../model/mount.ts';
import { labelsSchema, nodeNameSchema, volumeIdSchema, volumeNameSchema } from '../../model/names.ts';
import { nodeSchema } from '../../model/node.ts';
import {
  compressionSchema,
  metaSchema,
  reservationSchema,
  volumeSchema,
  volumeStateSchema,
} from '../../model/volume.ts';
import { limitSchema } from './paging.ts';

export const volumeParams = z.strictObject({ id: volumeIdSchema });
export const nodeParams = z.strictObject({ name: nodeNameSchema });

export const volumesQuery = z.strictObject({
  limit: limitSchema,
  after: volumeIdSchema.optional().meta({ description: 'Begins after this id: `next` of the page before.' }),
  state: volumeStateSchema.optional().meta({ description: 'Only volumes in this state.' }),
  node: nodeNameSchema.optional().meta({ description: 'Only volumes on this node.' }),
  name: volumeNameSchema.optional().meta({ description: 'Only volumes of this name.' }),
});

export const nodesQuery = z.strictObject({
  limit: limitSchema,
  after: nodeNameSchema
    .optional()
    .meta({ description: 'Begins after this name: `next` of the page before.' }),
  alive: z
    .enum(['true', 'false', 'any'])
    .default('true')
    .meta({ description: 'Only live nodes (the default), only those that are away, or both.' }),
});

const orderFields = {
  name: volumeNameSchema,
  meta: metaSchema.default({}),
  exports: exportRulesSchema.default([]),
};

const { reserved_size, constraints } = reservationSchema.shape;
const namedConstraints = constraints.unwrap().optional();

/** What isn't named stays as it is. */
const changedReservation = z.strictObject({
  reserved_size: reserved_size.optional(),
  constraints: namedConstraints,
});

/** What isn't named is none, or in a clone as its parent's. */
const orderedReservation = z.strictObject({ reserved_size, constraints: namedConstraints });

/** With `id` a clone, which may leave its size and constraints to its parent. */
export const newVolumeBody = z
  .strictObject({
    ...orderFields,
    requested: orderedReservation.optional(),
    id: volumeIdSchema.optional().meta({ description: 'The volume to clone.' }),
  })
  .superRefine(({ requested, id }, context) => {
    if (requested === undefined && id === undefined) {
      context.addIssue({ code: 'custom', path: ['requested'], message: 'is missing' });
    }
  })
  .meta({ description: '`requested` may be left out of a clone, which is then as its parent.' });

export const changedVolumeBody = z.strictObject({ requested: changedReservation });
export const changedExportsBody = z.strictObject({ exports: exportRulesSchema });

export const moveBody = z
  .strictObject({
    node: nodeNameSchema.optional().meta({ description: 'Where to. Default: the engine chooses.' }),
  })
  .default({});
export const defragmentBody = z.strictObject({}).default({});
export const compressBody = z.strictObject({ algorithm: compressionSchema });

export const changedNodeBody = z
  .strictObject({
    labels: labelsSchema.optional(),
    draining: z
      .boolean()
      .optional()
      .meta({ description: 'True: nothing new is put on the node, and all its volumes move away.' }),
    capacity: z
      .number()
      .positive()
      .max(2 ** 20)
      .optional()
      .meta({ description: 'GiB that may be reserved.' }),
  })
  .refine((body) => Object.values(body).some((field) => field !== undefined), 'must name what to change');

/** A volume as a client sees it. */
export const volumeView = volumeSchema
  .extend({
    mount: mountSchema.nullable().meta({
      description: 'Null until the volume is created, while its node is away, and between two nodes.',
    }),
  })
  .meta({ description: 'A volume, and where to mount it.' });

/** A node as a client sees it. What only its agent can tell is null while that is away. */
export const nodeView = nodeSchema
  .extend({
    address: nodeSchema.shape.address.nullable(),
    available: nodeSchema.shape.available.nullable(),
    disk: nodeSchema.shape.disk.unwrap().nullable(),
    remains: nodeSchema.shape.remains.unwrap(),
    agent: nodeSchema.shape.agent.unwrap(),
    virtual: nodeSchema.shape.virtual.nullable(),
    started_at: nodeSchema.shape.started_at.nullable(),
    alive: z.boolean().meta({ description: 'Whether its agent renews its lease.' }),
    draining: z.boolean().meta({ description: 'Whether all its volumes are to move away.' }),
    volumes: z
      .strictObject({
        count: z.int().nonnegative(),
        reserved: z.number().nonnegative().meta({ description: 'GiB.' }),
      })
      .meta({ description: 'What is reserved on it, volumes on their way to it or away from it included.' }),
  })
  .meta({ description: 'A node.' });

const next = z.string().nullable().meta({ description: '`after` of the next page; null on the last one.' });

export const volumesView = z.strictObject({ volumes: z.array(volumeView), next });
export const nodesView = z.strictObject({ nodes: z.array(nodeView), next });

export const statusView = z.strictObject({ status: z.string() });

export const errorView = z
  .strictObject({
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      fields: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
      volumes: z.array(volumeIdSchema).optional().meta({ description: 'The volumes that stand in the way.' }),
      used_bytes: z.int().nonnegative().optional().meta({ description: 'What the volume holds.' }),
    }),
  })
  .meta({ description: 'What went wrong; `fields` names each refused field.' });
