// The settings of a node's daemon, as environment variables, from the topology.

import { etcdMembers, type Topology, type TopologyNode } from '../topology.ts';

/** Ports inside the containers. On the host each gets a free one, on 127.0.0.1 only. */
export const ETCD_PORT = 2379;
export const API_PORT = 8080;
/** Of the agents, for each other: on the cluster's own network only. */
export const AGENT_PORT = 8081;

/** In a node's container; it outlives a restart of it. */
export const FAILPOINTS_FILE = '/run/cobalt-failpoints';

export function nodeEnvironment(topology: Topology, node: TopologyNode): Readonly<Record<string, string>> {
  const { settings } = topology;
  return {
    COBALT_NODE_NAME: node.name,
    COBALT_ADDRESS: node.name,
    COBALT_ETCD_ENDPOINTS: endpointsFor(topology, node).join(','),
    COBALT_ROLES: node.roles.join(','),
    COBALT_RESTART: pairs({ api: node.restart.api, engine: node.restart.engine, agent: node.restart.agent }),
    COBALT_CAPACITY_GIB: String(node.capacityGib),
    // BTRFS needs room for its metadata beyond what may be reserved.
    COBALT_DISK_GIB: String(Math.ceil(node.capacityGib * 1.25)),
    ...(node.disk !== 'plain' && { COBALT_DISK: node.disk }),
    ...(node.clock !== 'host' && { COBALT_CLOCK: node.clock }),
    COBALT_LABELS: pairs(
      Object.fromEntries(Object.entries(node.labels).sort(([a], [b]) => (a < b ? -1 : 1))),
    ),
    COBALT_LEASE_TTL_SECONDS: String(settings.leaseTtlSeconds),
    COBALT_RECONCILE_INTERVAL_MS: String(settings.reconcileIntervalMs),
    COBALT_TRASH_RETENTION_MS: String(settings.trashRetentionMs),
    COBALT_API_HOST: '0.0.0.0',
    COBALT_API_PORT: String(API_PORT),
    COBALT_AGENT_HOST: '0.0.0.0',
    COBALT_AGENT_PORT: String(AGENT_PORT),
    COBALT_MAX_MOVES: String(settings.maxMoves),
    COBALT_REBALANCE_PERCENT: String(settings.rebalancePercent),
    ...(settings.failpoints !== '' && { COBALT_FAILPOINTS: settings.failpoints }),
    ...(settings.failpointSwitches && { COBALT_FAILPOINTS_FILE: FAILPOINTS_FILE }),
  };
}

/**
 * Every member, each node beginning with another: a daemon uses the first that
 * works, and one member should neither serve nor, when it dies, disturb them all.
 */
function endpointsFor(topology: Topology, node: TopologyNode): readonly string[] {
  const urls = etcdMembers(topology).map((member) => `http://${member}:${ETCD_PORT}`);
  const first = Math.max(0, topology.nodes.indexOf(node)) % urls.length;
  return [...urls.slice(first), ...urls.slice(0, first)];
}

/** `a=1,b=2`. Neither names nor values can hold a comma (model/names.ts). */
const pairs = (entries: Readonly<Record<string, string>>): string =>
  Object.entries(entries)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
