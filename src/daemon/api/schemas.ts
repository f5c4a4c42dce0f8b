// The shapes of requests and responses that are not the model's own.

import { z } from 'zod';
import { exportRulesSchema } from '../../model/export.ts';
import { nodeNameSchema, volumeIdSchema, volumeNameSchema } from '../../model/names.ts';
import { nodeSchema } from '../../model/node.ts';
import { metaSchema, reservationSchema, volumeSchema } from '../../model/volume.ts';

export const volumeParams = z.strictObject({ id: volumeIdSchema });
export const nodeParams = z.strictObject({ name: nodeNameSchema });

export const newVolumeBody = z.strictObject({
  name: volumeNameSchema,
  meta: metaSchema.default({}),
  requested: reservationSchema,
  exports: exportRulesSchema.default([]),
  // Reserved for the parent to clone, so that a client is told and not surprised.
  id: z.never('cloning is not supported yet').optional(),
});

export const changedVolumeBody = z.strictObject({ requested: reservationSchema });
export const changedExportsBody = z.strictObject({ exports: exportRulesSchema });

export const mountSchema = z
  .strictObject({
    server: z.string().meta({ description: 'Host name or address of the NFS server.' }),
    path: z.string().meta({ description: 'What to mount.' }),
    options: z.string().meta({ description: 'Options of mount(8).' }),
  })
  .meta({ description: 'Where and how to mount the volume.' });

/** A volume as a client sees it. */
export const volumeView = volumeSchema
  .extend({
    mount: mountSchema
      .nullable()
      .meta({ description: 'Null until the volume is created, and while its node is away.' }),
  })
  .meta({ description: 'A volume, and where to mount it.' });

export const volumesView = z.strictObject({ volumes: z.array(volumeView) });
export const nodesView = z.strictObject({ nodes: z.array(nodeSchema) });

export const statusView = z.strictObject({ status: z.string() });

export const errorView = z
  .strictObject({
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      fields: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
    }),
  })
  .meta({ description: 'What went wrong; `fields` names each refused field.' });
