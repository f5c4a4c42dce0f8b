// A started cluster in the hands of a test: the same in every mode.

import type { Role } from '../model/volume.ts';
import type { ExecResult } from '../rig/deployment.ts';
import type { FaultSpec } from '../rig/faults/spec.ts';
import type { LogRecord } from '../rig/log-record.ts';
import type { Topology, TopologyInput } from '../rig/topology.ts';
import type { ConsumerClient } from './consumer.ts';
import type { EventuallyOptions, Timed } from './eventually.ts';
import type { InjectedFault } from './injection.ts';
import type { NodeApi } from './node-api.ts';
import type { Waiting } from './readiness.ts';

/** A role's process alone. Default: the whole member. */
export interface OnRole {
  readonly role?: Role;
}

/**
 * Members go by the names of the topology. Time is the mode's own: in `simulated` it passes only while something of
 * the cluster is awaited. Every call throws a {@link RigError}: `not_found` for an unknown member, `conflict` for what
 * can't be done in the state that the member is in, `unsupported` for what the mode can't do.
 */
export interface Cluster extends AsyncDisposable, Timed {
  readonly mode: string;
  /** What it was drawn from, where anything was: with it a simulated cluster does the same again. */
  readonly seed: number;
  /** As it is by now: nodes join and leave. */
  readonly topology: Topology;
  /** Where everything that happens is recorded, as by `rig run`; it goes with the cluster unless it was named at the start. */
  readonly folder: string;

  /** Milliseconds since the epoch, by the mode's own clock; never goes back. */
  now(): number;
  sleep(ms: number): Promise<void>;

  /** Starts one more node; resolves when it runs, which is before it is ready. */
  addNode(node: string | TopologyInput['nodes'][number]): Promise<void>;
  /** Ends a node for good, disk included. */
  removeNode(name: string): Promise<void>;
  /** SIGKILL. Resolves, as the others do, once the effect was seen. */
  kill(member: string, on?: OnRole): Promise<void>;
  /** SIGTERM and its grace. */
  stop(member: string, on?: OnRole): Promise<void>;
  /** Of a member that was killed or stopped; a role's process is started anew by its supervisor alone. */
  start(member: string): Promise<void>;
  /** Stops and starts it. */
  restart(member: string): Promise<void>;
  /** Frozen: connections stay up, nothing answers. */
  pause(member: string, on?: OnRole): Promise<void>;
  resume(member: string, on?: OnRole): Promise<void>;

  /**
   * Any fault of the catalogue (`rig faults` lists them); resolves once it was seen to bite. Throws `invalid` for one
   * that lacks a field or has one too many, `unsupported` where it can't be had, and `timeout` when it doesn't show.
   */
  inject(fault: FaultSpec): Promise<InjectedFault>;
  /** These members reach nobody else, nor each other, until it is healed. */
  partition(...members: readonly string[]): Promise<InjectedFault>;
  /** Ends every fault that was injected, the last one first; resolves once nothing of them is left to see. */
  heal(): Promise<void>;

  /** Runs a command in a member; not in `simulated`. */
  exec(member: string, command: readonly string[]): Promise<ExecResult>;
  /** What members have printed so far, in the order of time. Default: all that keep logs. */
  logs(...members: readonly string[]): Promise<readonly LogRecord[]>;
  /** A node's API. Default: of the first node that runs and has one, at each call. */
  api(node?: string): NodeApi;
  readonly etcd: EtcdClient;
  /** Reads and writes files over NFS, as the consumer of that name. */
  consumer(name: string): ConsumerClient;
  /** Prometheus text of a node. */
  metrics(node: string): Promise<string>;

  /** Until every node that runs is listed by every API, and no other is. Throws `timeout` with what was missing. */
  waitFor(options?: Waiting): Promise<void>;
  /** {@link eventually}, in this cluster's time. */
  eventually<T>(look: () => Promise<T> | T, options?: EventuallyOptions<T>): Promise<T>;

  /** Removes every trace; the record stays where it was named. Idempotent. */
  teardown(): Promise<void>;
}

/** etcd past the daemons. Throws `unavailable` when no member answers. */
export interface EtcdClient {
  /** URLs of the members that run; of no use but as names in `simulated`. */
  endpoints(): Promise<readonly string[]>;
  /** The value, by a linearizable read; undefined when there is no such key. */
  get(key: string): Promise<string | undefined>;
  /** Values by key. */
  list(prefix: string): Promise<ReadonlyMap<string, string>>;
}
