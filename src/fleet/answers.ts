// What the port of a fleet tells: how it is as a whole, and each node's metrics.

import { Gauge, Registry } from 'prom-client';
import type { NetworkResponse } from '../network/network.ts';
import type { FleetWorld } from './agent.ts';
import type { Fleet } from './fleet.ts';
import type { FleetNode } from './node.ts';

/** The whole at a moment; durations in ms. */
export interface FleetStatus {
  readonly nodes: number;
  readonly on: number;
  readonly registered: number;
  readonly exports: number;
  readonly etcdReachable: boolean;
  readonly heartbeats: number;
  readonly heartbeatP50Ms: number;
  readonly heartbeatP99Ms: number;
  readonly failedHeartbeats: number;
  readonly lostLeases: number;
  readonly transactions: number;
  readonly failedTransactions: number;
  readonly warnings: number;
  readonly errors: number;
}

export function statusOf(fleet: Fleet, { figures, store }: FleetWorld): FleetStatus {
  const { heartbeats, ...counted } = figures;
  return {
    ...fleet.counts(),
    etcdReachable: store.isSynced,
    heartbeats: heartbeats.count,
    heartbeatP50Ms: heartbeats.quantile(0.5),
    heartbeatP99Ms: heartbeats.quantile(0.99),
    failedHeartbeats: counted.failedHeartbeats,
    lostLeases: counted.lostLeases,
    transactions: counted.transactions,
    failedTransactions: counted.failedTransactions,
    warnings: counted.warnings,
    errors: counted.errors,
  };
}

/** `/status`, `/metrics`, `/nodes/<name>/metrics`; undefined for anything else. */
export async function answer(
  path: string,
  { fleet, world }: { readonly fleet: Fleet; readonly world: FleetWorld },
): Promise<NetworkResponse | undefined> {
  if (path === '/status') {
    const body = `${JSON.stringify(statusOf(fleet, world))}\n`;
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  if (path === '/metrics') return metrics({}, wholeMetrics(statusOf(fleet, world)));
  const [, name] = /^\/nodes\/([a-z0-9-]+)\/metrics$/.exec(path) ?? [];
  const node = name === undefined ? undefined : fleet.nodes.get(name);
  // As with a real node, nobody answers while it is off.
  if (node?.isOn === false) return { status: 503, headers: {}, body: `node ${name} is off\n` };
  return node && metrics({ node: node.name }, nodeMetrics(node, world));
}

type Metric = readonly [name: string, help: string, value: number];

async function metrics(labels: Record<string, string>, values: readonly Metric[]): Promise<NetworkResponse> {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  for (const [name, help, value] of values) new Gauge({ name, help, registers: [registry] }).set(value);
  return {
    status: 200,
    headers: { 'content-type': registry.contentType },
    body: await registry.metrics(),
  };
}

function wholeMetrics(status: FleetStatus): readonly Metric[] {
  return [
    ['fleet_nodes', 'Simulated nodes.', status.nodes],
    ['fleet_nodes_on', 'Those that have power.', status.on],
    ['fleet_nodes_registered', 'Those whose agent holds a lease.', status.registered],
    ['fleet_heartbeats', 'Leases renewed.', status.heartbeats],
    ['fleet_heartbeat_p99_seconds', 'Time of a renewal, 99th percentile.', status.heartbeatP99Ms / 1000],
    ['fleet_heartbeats_failed', 'Renewals without an answer.', status.failedHeartbeats],
    ['fleet_leases_lost', 'Leases that ran out under a living agent.', status.lostLeases],
    ['fleet_transactions', 'Writes to etcd.', status.transactions],
    ['cobalt_etcd_reachable', '1 while the watch of etcd stands.', Number(status.etcdReachable)],
  ];
}

function nodeMetrics(node: FleetNode, { store }: FleetWorld): readonly Metric[] {
  const { disk } = node;
  const used = [...disk.subvolumes.values()].reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  return [
    ['cobalt_etcd_reachable', '1 while the watch of etcd stands.', Number(store.isSynced)],
    ['cobalt_agent_registered', '1 while the agent holds a lease.', Number(node.isRegistered)],
    ['cobalt_agent_starts', 'How often the agent was started.', node.starts],
    ['cobalt_agent_leases_lost', 'Leases that ran out under it.', node.lostLeases],
    ['cobalt_exports', 'Volumes that are exported.', node.exports],
    ['cobalt_disk_subvolumes', 'Subvolumes on the disk.', disk.subvolumes.size],
    ['cobalt_disk_total_bytes', 'Size of the disk.', disk.totalBytes],
    ['cobalt_disk_used_bytes', 'What the volumes hold.', used],
  ];
}
