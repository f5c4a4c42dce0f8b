// What an event of the cluster tells one consumer to do. Read here anew, by the
// published shape alone: a mistake of the daemon's can't hide in code that both
// share.

import { z } from 'zod';
import { contains, readNetwork } from '../model/network.ts';

const actionSchema = z.enum(['mount', 'remount', 'unmount']);
export type Action = z.infer<typeof actionSchema>;

const mountSchema = z.object({ server: z.string() }).nullable();

/** Of `export` and `move` events: who has to do what, and where the volume is. */
const accessSchema = z.object({
  kind: z.enum(['export', 'move']),
  revision: z.int(),
  volume: z.string(),
  mount: mountSchema,
  clients: z.array(z.object({ host: z.string(), action: actionSchema })),
});

/** After events were lost: what there is now. */
const snapshotSchema = z.object({
  kind: z.literal('snapshot'),
  revision: z.int(),
  item: z.object({
    of: z.literal('volume'),
    volume: z.string(),
    exports: z.array(z.object({ host: z.string() })),
    mount: mountSchema,
  }),
});

const TELLING: ReadonlySet<unknown> = new Set(['export', 'move', 'snapshot']);

export interface Instruction {
  readonly volume: string;
  readonly action: Action;
  /** Where it is to be mounted; null: nowhere. */
  readonly server: string | null;
  /** Of etcd, that the event is of. */
  readonly revision: number;
}

/** The instructions of an event for whoever has this address; none in an event that isn't about mounts. */
export function instructionsIn(data: unknown, address: string): readonly Instruction[] {
  // Most events are about something else, and to refuse one costs more than to read it.
  if (!TELLING.has((data as { readonly kind?: unknown } | null)?.kind)) return [];
  const access = accessSchema.safeParse(data);
  if (access.success) {
    const { volume, revision, mount, clients } = access.data;
    const meant = clients.filter(({ host }) => isMeant(host, address));
    // The narrowest counts.
    const one = meant.find(({ host }) => meant.every((other) => isMeant(other.host, host)));
    if (one === undefined) return [];
    const server = one.action === 'unmount' ? null : (mount?.server ?? null);
    return [{ volume, action: one.action, server, revision }];
  }
  const snapshot = snapshotSchema.safeParse(data);
  if (!snapshot.success) return [];
  const { item, revision } = snapshot.data;
  if (!item.exports.some(({ host }) => isMeant(host, address)) || item.mount === null) return [];
  return [{ volume: item.volume, action: 'mount', server: item.mount.server, revision }];
}

function isMeant(host: string, address: string): boolean {
  const outer = readNetwork(host);
  const inner = readNetwork(address);
  return outer !== undefined && inner !== undefined && contains(outer, inner);
}
