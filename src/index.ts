// What tests of other projects use of the rig: `import { startCluster } from 'cobalt-rig'`.

export { RigError } from './base/errors.ts';
export type { Cluster, EtcdClient, OnRole } from './cluster/cluster.ts';
export type { ConsumerClient, FilePlace } from './cluster/consumer.ts';
export { type EventuallyOptions, eventually, type Timed } from './cluster/eventually.ts';
export type { InjectedFault } from './cluster/injection.ts';
export { CLUSTER_MODES, type ModeName } from './cluster/modes.ts';
export type { ApiAnswer, CallOptions, NodeApi } from './cluster/node-api.ts';
export type { Waiting } from './cluster/readiness.ts';
export { type StartOptions, startCluster, withCluster } from './cluster/start.ts';
export type { VolumeHandle, VolumeOrder } from './cluster/volume-handle.ts';
export type { VolumeView } from './cluster/volume-view.ts';
export type { FaultSpec } from './rig/faults/spec.ts';
export type { LogRecord } from './rig/log-record.ts';
export type { ConsumerRule } from './rig/scenario.ts';
export type { TopologyInput } from './rig/topology.ts';
