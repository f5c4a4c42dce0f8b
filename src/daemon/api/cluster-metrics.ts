// The cluster's figures as Prometheus has metrics. They are made anew each time, so that what is not known is not
// there, rather than 0.

import { Counter, Gauge, Registry } from 'prom-client';
import { diskHealthSchema } from '../../model/node.ts';
import { VOLUME_STATES } from '../../model/volume.ts';
import { type ClusterFigures, NODE_STATES, type OwnFigures } from './cluster-figures.ts';

const DISK_STATES = diskHealthSchema.shape.state.options;

type Tell = (
  name: string,
  help: string,
  values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
) => void;

/** `node`, whose API tells, labels them all. */
export function clusterMetrics(node: string, figures: ClusterFigures): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ node });
  const tell: Tell = (name, help, values) => {
    const labelNames = Object.keys(values[0]?.[0] ?? {});
    const gauge = new Gauge({ name, help, labelNames, registers: [registry] });
    for (const [labels, value] of values) gauge.set(labels, value);
  };
  const { nodes, volumes, longestSeconds, leader, leaderChanges, ageSeconds, own } = figures;
  tell(
    'cobalt_nodes',
    'Nodes of the cluster: alive, alive and draining, or away.',
    NODE_STATES.map((state) => [{ state }, nodes[state]]),
  );
  tell(
    'cobalt_volumes',
    'Volumes of the cluster in each state.',
    VOLUME_STATES.map((state) => [{ state }, volumes[state]]),
  );
  tell(
    'cobalt_volume_state_age_seconds',
    'How long any volume has been in that state; 0 where none is.',
    VOLUME_STATES.map((state) => [{ state }, longestSeconds[state]]),
  );
  if (leader !== undefined)
    tell('cobalt_leader_info', 'The node whose engine leads; missing while none does.', [[{ leader }, 1]]);
  new Counter({
    name: 'cobalt_leader_changes_total',
    help: 'Engines that came to lead since this API began to watch.',
    registers: [registry],
  }).inc(leaderChanges);
  tell('cobalt_view_age_seconds', 'How long etcd has not confirmed what is told of the cluster here.', [
    [{}, ageSeconds],
  ]);
  if (own !== undefined) tellOwn(tell, own);
  return registry;
}

function tellOwn(tell: Tell, { isRegistered, capacityBytes, reservedBytes, live }: OwnFigures): void {
  tell('cobalt_node_registered', '1 while the agent of this node renews its lease.', [
    [{}, Number(isRegistered)],
  ]);
  tell('cobalt_node_capacity_bytes', 'What may be reserved on this node.', [[{}, capacityBytes]]);
  tell('cobalt_node_reserved_bytes', 'What is reserved on this node.', [[{}, reservedBytes]]);
  if (live === undefined) return;
  tell('cobalt_node_available_bytes', 'What the disk of this node has free.', [[{}, live.availableBytes]]);
  tell(
    'cobalt_node_disk_state',
    '1 for the state that the disk of this node is in.',
    DISK_STATES.map((state) => [{ state }, Number(live.disk === state)]),
  );
}
