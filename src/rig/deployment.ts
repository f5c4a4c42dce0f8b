// A started cluster, as the rig handles it: the same interface for every mode.

import type { Role } from '../model/volume.ts';
import type { Topology } from './topology.ts';

/** What a command in a container came back with. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type ContainerState = 'absent' | 'created' | 'running' | 'paused' | 'exited';

/** What can be done to a container, or to one role's process in it. */
export type Act = 'kill' | 'stop' | 'start' | 'pause' | 'resume';

/**
 * Members go by the names of the topology (`etcd`, nodes, consumers). Addresses
 * are looked up at each call, since a restart changes them. Every call throws
 * `not_found` for an unknown member and `machine` when the engine fails.
 */
export interface Deployment extends AsyncDisposable {
  readonly topology: Topology;
  /** Unique among the clusters of this machine; every resource carries it. */
  readonly runId: string;
  /** Base URL of a node's API, reachable from the rig. */
  api(node: string): Promise<string>;
  /** URL of etcd's client port, reachable from the rig. */
  etcd(): Promise<string>;
  /** Base URL of a consumer's service, reachable from the rig. */
  consumer(name: string): Promise<string>;
  /** The member's IP address on the cluster's own network. */
  address(member: string): Promise<string>;
  state(member: string): Promise<ContainerState>;
  /** Resolves once the effect was seen. */
  act(act: Act, member: string, options?: { readonly role?: Role }): Promise<void>;
  exec(member: string, command: readonly string[]): Promise<ExecResult>;
  /** Everything that the member printed so far, each line with its time. */
  logs(member: string): Promise<string>;
  /** Saves every member's logs into a folder, one file each. */
  saveLogs(folder: string): Promise<void>;
  /** Starts one more node; resolves when its container runs. */
  addNode(node: Topology['nodes'][number]): Promise<void>;
  /** Ends a node for good, disk included. */
  removeNode(name: string): Promise<void>;
  /** Prometheus text of a node. */
  metrics(node: string): Promise<string>;
  /** From now on it is there for people: nothing removes it but `rig down`. */
  keep(): void;
  /** Removes every trace. Idempotent. */
  teardown(): Promise<void>;
}
