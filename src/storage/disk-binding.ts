// A disk's binding (storage.ts) as text, and what every backend checks of it.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { nodeNameSchema, volumeIdSchema } from '../model/names.ts';
import type { DiskBinding } from './storage.ts';

const bindingSchema = z.strictObject({
  cluster: z.string().regex(/^[0-9A-Za-z-]{1,64}$/),
  node: nodeNameSchema,
  disk: z.string().regex(/^[0-9a-f]{32}$/),
  mark: z.int().nonnegative(),
  revision: z.int().nonnegative(),
  leaving: z.record(volumeIdSchema, nodeNameSchema).optional(),
});

/** The binding itself; `invalid` for anything else. */
export function checkedBinding(binding: unknown): DiskBinding {
  const result = bindingSchema.safeParse(binding);
  if (result.success) return result.data;
  throw new RigError('invalid', `${JSON.stringify(binding)} is not the binding of a disk`);
}

export function formatBinding(binding: DiskBinding): string {
  return `${JSON.stringify(checkedBinding(binding))}\n`;
}

/** `io` when the text can't be read: nobody knows then whose disk it is. */
export function parseBinding(text: string): DiskBinding {
  try {
    return checkedBinding(JSON.parse(text));
  } catch (error) {
    throw new RigError('io', 'the binding of the disk is damaged', { cause: error });
  }
}
