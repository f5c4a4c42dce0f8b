// The events that a cluster tells its consumers of. Each is derived from one revision of etcd
// (picture.ts), so that whoever derives it, and whenever, it is the same event; only what clients have
// to do when a node comes back may be `mount` by one and `remount` by another, who has seen less.

import { z } from 'zod';
import { exportRuleSchema, exportRulesSchema, hostSchema } from './export.ts';
import { mountSchema } from './mount.ts';
import { nodeNameSchema, volumeIdSchema, volumeNameSchema } from './names.ts';
import { diskHealthSchema } from './node.ts';
import { volumeStateSchema } from './volume.ts';

/** What a stream can be asked for. A `reset` with its `snapshot` comes unasked. */
export const EVENT_KINDS = ['volume', 'export', 'move', 'node', 'leader'] as const;
export const eventKindSchema = z.enum(EVENT_KINDS);
export type EventKind = z.infer<typeof eventKindSchema>;

/**
 * What a client has to do about its mount of the volume:
 * - `mount`: have it mounted as `mount` says. Nothing, for one that has it mounted;
 * - `remount`: unmount what it has, if anything, and mount anew: its permission has changed, or the
 *   volume is elsewhere now, or either may have happened unseen while its node was away;
 * - `unmount`: it is no longer accepted, or the volume is being deleted.
 * Of several that hold a client's address the narrowest counts, as it does among the rules themselves.
 */
export const clientActionSchema = z.enum(['mount', 'remount', 'unmount']);
export type ClientAction = z.infer<typeof clientActionSchema>;

export const clientSchema = z
  .strictObject({
    host: hostSchema,
    action: clientActionSchema,
    access: exportRuleSchema.shape.access.nullable().meta({ description: 'Null with `unmount`.' }),
    squash: exportRuleSchema.shape.squash.unwrap().nullable().meta({ description: 'Null with `unmount`.' }),
  })
  .meta({ description: 'What the clients at an accepted host have to do.' });

export type Client = z.infer<typeof clientSchema>;

const revision = z.int().positive().meta({ description: 'Of etcd, that the event is of.' });
const volume = volumeIdSchema;
const change = z.enum(['created', 'changed', 'deleted']);

const volumeFacts = {
  volume,
  name: volumeNameSchema,
  state: volumeStateSchema,
  node: nodeNameSchema.nullable(),
  error: z.string().nullable(),
};

/** What concerns the clients of a volume. */
const access = {
  volume,
  exports: exportRulesSchema.meta({ description: 'Who may mount it now, and how.' }),
  mount: mountSchema.nullable().meta({
    description: 'Where it is now. Null while nobody serves it; an event tells when somebody does.',
  }),
  clients: z.array(clientSchema).meta({ description: 'What has to be done, host by host.' }),
};

export const volumeEventSchema = z.strictObject({
  kind: z.literal('volume'),
  revision,
  change,
  ...volumeFacts,
});

/** Who may mount a volume, or where its server is, has changed. */
export const exportEventSchema = z.strictObject({ kind: z.literal('export'), revision, ...access });

/**
 * A move has come to the point where the old node has ended its export and the volume is the new
 * node's (`handed-over`: wait), and where the new one exports it (`ready`: go there).
 */
export const moveEventSchema = z.strictObject({
  kind: z.literal('move'),
  revision,
  phase: z.enum(['handed-over', 'ready']),
  from: nodeNameSchema.nullable().meta({ description: 'Known only when it is handed over.' }),
  to: nodeNameSchema,
  ...access,
});

const nodeFacts = {
  node: nodeNameSchema,
  address: z.string().nullable().meta({ description: 'Of its NFS server; null when it has left.' }),
  disk: diskHealthSchema.nullable(),
};

export const nodeEventSchema = z.strictObject({
  kind: z.literal('node'),
  revision,
  change: z.enum(['joined', 'left', 'changed']),
  ...nodeFacts,
});

export const leaderEventSchema = z.strictObject({
  kind: z.literal('leader'),
  revision,
  node: nodeNameSchema.nullable().meta({ description: 'Null while no engine leads.' }),
});

/**
 * Events are missing, and nothing known from earlier ones may be trusted; `snapshot` events follow,
 * which tell all that there is. `compacted`: they are no longer kept. `replaced`: it is another store,
 * or one that went back in time.
 */
export const resetEventSchema = z.strictObject({
  kind: z.literal('reset'),
  revision,
  reason: z.enum(['compacted', 'replaced']),
});

/** One thing that there is. */
export const snapshotEventSchema = z.strictObject({
  kind: z.literal('snapshot'),
  revision,
  item: z.discriminatedUnion('of', [
    z.strictObject({
      of: z.literal('volume'),
      ...volumeFacts,
      exports: access.exports,
      mount: access.mount,
    }),
    z.strictObject({ of: z.literal('node'), ...nodeFacts }),
    z.strictObject({ of: z.literal('leader'), node: leaderEventSchema.shape.node }),
  ]),
});

export const clusterEventSchema = z
  .discriminatedUnion('kind', [
    volumeEventSchema,
    exportEventSchema,
    moveEventSchema,
    nodeEventSchema,
    leaderEventSchema,
    resetEventSchema,
    snapshotEventSchema,
  ])
  .meta({ description: 'Something that has happened, as of a revision of etcd.' });

export type ClusterEvent = z.infer<typeof clusterEventSchema>;
export type EventOf<Kind extends ClusterEvent['kind']> = Extract<ClusterEvent, { kind: Kind }>;

/** What somebody wants to be told of; null: all. */
export interface EventFilter {
  readonly kinds: readonly EventKind[] | null;
  readonly volumes: readonly string[] | null;
}

/** A filter by volumes leaves out what is about no volume. A reset passes every filter. */
export function passes({ kinds, volumes }: EventFilter, event: ClusterEvent): boolean {
  if (event.kind === 'reset') return true;
  const about = event.kind === 'snapshot' ? event.item : event;
  if (volumes !== null && !('volume' in about && volumes.includes(about.volume))) return false;
  return kinds === null || kindsOf(event).some((kind) => kinds.includes(kind));
}

/** A snapshot of a volume tells what all the events about it would have told. */
function kindsOf(event: Exclude<ClusterEvent, { kind: 'reset' }>): readonly EventKind[] {
  if (event.kind !== 'snapshot') return [event.kind];
  return event.item.of === 'volume' ? ['volume', 'export', 'move'] : [event.item.of];
}
