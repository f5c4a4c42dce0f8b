// From what is in etcd, and what the members are seen to do, to what the console shows.

import { LEADER_KEY, NODES_PREFIX, nameIn, SPECS_PREFIX, VOLUMES_PREFIX } from '../../kv/keys.ts';
import { contains, readNetwork } from '../../model/network.ts';
import { leaderSchema, type Node, type NodeSpec, nodeSchema, nodeSpecSchema } from '../../model/node.ts';
import { readable } from '../../model/parse.ts';
import { type Volume, volumeSchema } from '../../model/volume.ts';
import type { ExportView, Item, LeaderItem, MemberItem, NodeFacts, VolumeItem } from './items.ts';

/** A key as it is kept: nobody changes it, and what was made of it is found again by it. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
  readonly created: number;
}

/** A member as the engine, the record or the declaration tells of it. */
export type SeenMember = Omit<MemberItem, 'is' | 'node'>;

/** Members, volumes and the leader, by their ids. `members` that nobody tells of are known by etcd alone. */
export function itemsOf(entries: readonly Entry[], members: readonly SeenMember[]): Record<string, Item> {
  const volumes = volumesIn(entries);
  const nodes = nodesIn(entries);
  const items: Record<string, Item> = {};
  for (const member of withThoseOfEtcd(members, nodes)) {
    const facts = member.kind === 'node' ? factsOf(member.name, nodes, volumes) : null;
    items[`member:${member.name}`] = { is: 'member', ...member, node: facts };
  }
  for (const volume of volumes) items[`volume:${volume.id}`] = withConsumers(volume, members);
  const leader = leaderIn(entries);
  if (leader !== undefined) items.leader = leader;
  return items;
}

/** The node whose engine leads; undefined when none does, or nobody can tell. */
export function leaderIn(entries: readonly Entry[]): LeaderItem | undefined {
  const kvs = entries.filter(({ key }) => key === LEADER_KEY);
  const [found] = readable(leaderSchema, { kvs, onMalformed: ignore });
  if (found === undefined) return undefined;
  const { node, since } = found.value;
  return { is: 'leader', node, since, term: found.kv.created };
}

/** The console shows what is there; whether it may be so is for the checks. */
const ignore = (): void => undefined;

interface KnownNodes {
  readonly live: ReadonlyMap<string, Node>;
  readonly specs: ReadonlyMap<string, NodeSpec>;
}

function nodesIn(entries: readonly Entry[]): KnownNodes {
  const below = (prefix: string) => entries.filter(({ key }) => key.startsWith(prefix));
  const live = readable(nodeSchema, { kvs: below(NODES_PREFIX), onMalformed: ignore });
  const specs = readable(nodeSpecSchema, { kvs: below(SPECS_PREFIX), onMalformed: ignore });
  return {
    live: new Map(live.map(({ kv, value }) => [nameIn(NODES_PREFIX, kv.key), value])),
    specs: new Map(specs.map(({ kv, value }) => [nameIn(SPECS_PREFIX, kv.key), value])),
  };
}

function withThoseOfEtcd(members: readonly SeenMember[], { live, specs }: KnownNodes): readonly SeenMember[] {
  const known = new Set(members.map(({ name }) => name));
  const others = [...new Set([...live.keys(), ...specs.keys()])].filter((name) => !known.has(name)).sort();
  return [
    ...members,
    ...others.map((name) => ({
      ...({ name, kind: 'node', roles: {}, url: null } as const),
      state: 'unknown' as const,
      address: live.get(name)?.address ?? null,
    })),
  ];
}

function factsOf(name: string, nodes: KnownNodes, volumes: readonly VolumeItem[]): NodeFacts | null {
  const live = nodes.live.get(name);
  const spec = nodes.specs.get(name);
  if (live === undefined && spec === undefined) return null;
  const own = volumes.filter(({ node }) => node === name);
  return {
    registered: live !== undefined,
    capacityGib: live?.capacity ?? spec?.capacity ?? null,
    reservedGib: own.reduce((sum, { reservedGib }) => sum + reservedGib, 0),
    freeGib: live?.available ?? null,
    volumes: own.length,
    draining: spec?.draining ?? false,
    disk: live === undefined || live.disk.state === 'ok' ? null : (live.disk.reason ?? live.disk.state),
    labels: live?.labels ?? spec?.labels ?? {},
  };
}

function volumesIn(entries: readonly Entry[]): readonly VolumeItem[] {
  const kvs = entries.filter(({ key }) => key.startsWith(VOLUMES_PREFIX));
  const malformed: VolumeItem[] = [];
  const onMalformed = ({ key, revision }: Entry, cause: unknown): void => {
    const error = cause instanceof Error ? cause.message : String(cause);
    const id = nameIn(VOLUMES_PREFIX, key);
    const unknown = { node: null, to: null, reservedGib: 0, exports: [], parent: null } as const;
    malformed.push({ is: 'volume', id, name: id, state: 'malformed', ...unknown, error, revision });
  };
  const found = readable(volumeSchema, { kvs, onMalformed });
  return [...found.map(({ kv, value }) => volumeItem(value, kv.revision)), ...malformed];
}

function volumeItem(volume: Volume, revision: number): VolumeItem {
  const { id, name, state, node, control, exports, requested } = volume;
  return {
    is: 'volume',
    ...{ id, name, state, node, revision },
    to: control.task?.kind === 'move' ? control.task.node : null,
    reservedGib: requested.reserved_size,
    exports: exports.map((rule) => ({ ...rule, consumers: [] })),
    error: control.error,
    parent: control.parent_id,
  };
}

function withConsumers(volume: VolumeItem, members: readonly SeenMember[]): VolumeItem {
  const consumers = members.filter(({ kind, address }) => kind === 'consumer' && address !== null);
  const lets = ({ host }: ExportView): readonly string[] =>
    consumers.filter(({ address }) => isWithin(address ?? '', host)).map(({ name }) => name);
  return { ...volume, exports: volume.exports.map((rule) => ({ ...rule, consumers: lets(rule) })) };
}

function isWithin(address: string, host: string): boolean {
  const [inner, outer] = [readNetwork(address), readNetwork(host)];
  return inner !== undefined && outer !== undefined && contains(outer, inner);
}
