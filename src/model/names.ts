// What may stand in a name, an id or a label. These strings end up in paths,
// etcd keys and the NFS server's configuration, so everything is refused that
// could mean something there.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';

/** DNS label: what a host, and so a node, may be called. */
export const nodeNameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1-63 of a-z, 0-9 and inner -')
  .meta({ description: 'Name of a node.' });

/** `v` and 16 hexadecimal digits; also the subvolume's name and the export's path. */
export const volumeIdSchema = z
  .string()
  .regex(/^v[0-9a-f]{16}$/, 'must be v and 16 hexadecimal digits')
  .meta({ description: 'Id of a volume.' });

/** The id itself; `invalid` for anything but `v` and 16 hexadecimal digits. */
export function checkedVolumeId(id: string): string {
  if (isVolumeId(id)) return id;
  throw new RigError('invalid', `${JSON.stringify(id)} is not the id of a volume`);
}

export function isVolumeId(text: string): boolean {
  return volumeIdSchema.safeParse(text).success;
}

/** `<16 hexadecimal digits>-<number>`: one attempt at a move, and which of its copies. */
export const copyNameSchema = z
  .string()
  .regex(/^[0-9a-f]{16}-[0-9]{1,4}$/, 'must be 16 hexadecimal digits, a - and a number')
  .meta({ description: 'Name of a read-only copy of a volume.' });

/** The name itself; `invalid` for anything else. */
export function checkedCopyName(name: string): string {
  if (copyNameSchema.safeParse(name).success) return name;
  throw new RigError('invalid', `${JSON.stringify(name)} is not the name of a copy`);
}

export const volumeNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'must be 1-63 of A-Z, a-z, 0-9 and inner ._-')
  .meta({ description: 'Name of a volume, for people; need not be unique.' });

const labelKey = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9./-]{0,61}[a-z0-9])?$/, 'must be 1-63 of a-z, 0-9 and inner ./-');
const labelValue = z.string().regex(/^[A-Za-z0-9._-]{0,63}$/, 'must be 0-63 of A-Z, a-z, 0-9 and ._-');

/** Labels of a node; constraints of a volume. At most 32. */
export const labelsSchema = z
  .record(labelKey, labelValue)
  .refine((labels) => Object.keys(labels).length <= 32, 'must have at most 32 entries')
  .meta({ description: 'Labels: a node has them, a volume asks for them.' });

export type Labels = z.infer<typeof labelsSchema>;

/** True when a node with `labels` satisfies every one of the constraints. */
export function satisfies(labels: Labels, constraints: Labels): boolean {
  return Object.entries(constraints).every(([key, value]) => labels[key] === value);
}
