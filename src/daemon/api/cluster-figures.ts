// The cluster in figures, from a copy of what etcd holds. Their number does not grow with the cluster: of nodes and
// volumes there are counts, and of single nodes only what concerns the one whose API tells.

import type { z } from 'zod';
import { gibToBytes } from '../../base/units.ts';
import { LEADER_KEY, NODES_PREFIX, nodeKey, SPECS_PREFIX, specKey, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { KeyValue } from '../../kv/kv.ts';
import { type DiskHealth, leaderSchema, type Node, nodeSchema, nodeSpecSchema } from '../../model/node.ts';
import { readable } from '../../model/parse.ts';
import {
  reservationsOf,
  VOLUME_STATES,
  type Volume,
  type VolumeState,
  volumeSchema,
} from '../../model/volume.ts';

export const NODE_STATES = ['alive', 'draining', 'away'] as const;
export type NodeState = (typeof NODE_STATES)[number];

export interface ClusterFigures {
  readonly nodes: Readonly<Record<NodeState, number>>;
  readonly volumes: Readonly<Record<VolumeState, number>>;
  /** How long any volume has been in that state; 0 where none is. */
  readonly longestSeconds: Readonly<Record<VolumeState, number>>;
  /** The node whose engine leads. */
  readonly leader: string | undefined;
  /** Engines that came to lead while this was watched. */
  readonly leaderChanges: number;
  /** How long etcd has not confirmed all this; 0 while it is followed. */
  readonly ageSeconds: number;
  /** The node whose API tells; undefined for one that no agent has ever registered. */
  readonly own: OwnFigures | undefined;
}

export interface OwnFigures {
  readonly isRegistered: boolean;
  readonly capacityBytes: number;
  readonly reservedBytes: number;
  /** What only a live agent knows. */
  readonly live: { readonly availableBytes: number; readonly disk: DiskHealth['state'] } | undefined;
}

export interface FiguresOptions {
  readonly entries: ReadonlyMap<string, KeyValue>;
  /** The node whose API tells. */
  readonly node: string;
  /** Since when the volume is in its state, on the wall clock. */
  readonly sinceMs: (volume: Volume) => number;
  readonly nowMs: number;
}

/** Values that can't be read are left out. */
export function figuresOf(options: FiguresOptions): Omit<ClusterFigures, 'leaderChanges' | 'ageSeconds'> {
  const { entries, node, sinceMs, nowMs } = options;
  const live = under(NODES_PREFIX, nodeSchema, entries);
  const specs = under(SPECS_PREFIX, nodeSpecSchema, entries);
  const stored = [...under(VOLUMES_PREFIX, volumeSchema, entries).values()];
  const nodes = { alive: 0, draining: 0, away: 0 };
  for (const key of specs.keys()) if (!live.has(nodeKey(key.slice(SPECS_PREFIX.length)))) nodes.away += 1;
  for (const { name } of live.values())
    nodes[specs.get(specKey(name))?.draining === true ? 'draining' : 'alive'] += 1;
  const volumes = ofEachState();
  const longestSeconds = ofEachState();
  for (const volume of stored) {
    const { state } = volume;
    volumes[state] += 1;
    longestSeconds[state] = Math.max(longestSeconds[state], (nowMs - sinceMs(volume)) / 1000);
  }
  const leader = entries.get(LEADER_KEY);
  return {
    nodes,
    volumes,
    longestSeconds,
    leader: leader && valuesOf(leaderSchema, [leader])[0]?.value.node,
    own: ownOf({
      node,
      live: live.get(nodeKey(node)),
      capacityGib: specs.get(specKey(node))?.capacity,
      volumes: stored,
    }),
  };
}

function ownOf(options: {
  readonly node: string;
  readonly live: Node | undefined;
  readonly capacityGib: number | undefined;
  readonly volumes: readonly Volume[];
}): OwnFigures | undefined {
  const { node, live, volumes } = options;
  // As in GET /nodes: the spec wins over what the agent registered with.
  const capacityGib = options.capacityGib ?? live?.capacity;
  if (capacityGib === undefined) return undefined;
  return {
    isRegistered: live !== undefined,
    capacityBytes: gibToBytes(capacityGib),
    reservedBytes: volumes
      .flatMap(reservationsOf)
      .reduce((sum, reserved) => sum + (reserved.node === node ? reserved.bytes : 0), 0),
    live: live && { availableBytes: gibToBytes(live.available), disk: live.disk.state },
  };
}

const ofEachState = () =>
  Object.fromEntries(VOLUME_STATES.map((state) => [state, 0])) as Record<VolumeState, number>;

function valuesOf<Schema extends z.ZodType>(schema: Schema, kvs: readonly KeyValue[]) {
  return readable(schema, { kvs, onMalformed: () => undefined });
}

function under<Schema extends z.ZodType>(
  prefix: string,
  schema: Schema,
  entries: ReadonlyMap<string, KeyValue>,
): ReadonlyMap<string, z.output<Schema>> {
  const kvs = [...entries.values()].filter(({ key }) => key.startsWith(prefix));
  return new Map(valuesOf(schema, kvs).map(({ kv, value }) => [kv.key, value]));
}
