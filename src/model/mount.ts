// Where a client finds a volume: the node that serves it, and the path there.

import { z } from 'zod';
import type { Node } from './node.ts';
import { isHandedOver, type Volume } from './volume.ts';

export const mountSchema = z
  .strictObject({
    server: z.string().meta({ description: 'Host name or address of the NFS server.' }),
    path: z.string().meta({ description: 'What to mount.' }),
    options: z.string().meta({ description: 'Options of mount(8).' }),
  })
  .meta({ description: 'Where and how to mount the volume.' });

export type Mount = z.infer<typeof mountSchema>;

/** `node` is the one that the volume is on, if that is alive. Null while nobody serves the volume. */
export function mountOf(volume: Volume, node: Node | undefined): Mount | null {
  if (volume.actual === null || node === undefined || node.name !== volume.node) return null;
  // The old node has ended its export, and the new one is yet to begin.
  if (isHandedOver(volume)) return null;
  // Made, and about to be exported for the first time.
  if (volume.state === 'scheduling' || volume.state === 'cloning') return null;
  return { server: node.address, path: `/${volume.id}`, options: 'vers=4.1' };
}
