// A scenario: a topology, a script of client calls, faults and expectations in
// the order in which they happen, and the checks that judge the recorded run.

import type { Role } from '../model/volume.ts';
import type { CheckName } from './checks/catalogue.ts';
import type { TopologyInput } from './topology.ts';

/** A consumer by name; the rig fills in its address. */
export interface ConsumerRule {
  readonly consumer: string;
  readonly access: 'rw' | 'ro';
}

/** A call on the volume API. Volumes go by the name that the scenario gave them. */
export type VolumeCall =
  | {
      readonly create: string;
      readonly sizeGib: number;
      readonly constraints?: Readonly<Record<string, string>>;
      readonly exports?: readonly ConsumerRule[];
    }
  | {
      readonly resize: string;
      readonly sizeGib: number;
      readonly constraints?: Readonly<Record<string, string>>;
    }
  | { readonly reexport: string; readonly exports: readonly ConsumerRule[] }
  | { readonly remove: string };

/** What the rig can wait for. */
export type Condition =
  /** etcd holds the volume in this state (`absent` for no key), optionally on, or not on, a node. */
  | {
      readonly volume: string;
      readonly state: string;
      readonly on?: string;
      readonly notOn?: string;
      /** The agent has applied the requested exports. */
      readonly exported?: boolean;
    }
  /** The node's API process answers `/healthz`. */
  | { readonly answering: 'all' | string }
  /** The node's `/readyz` says that it reaches etcd. */
  | { readonly ready: 'all' | string }
  /** The node, or every node, is registered in etcd; with `since`, by a write after that mark. */
  | { readonly registered: 'all' | string; readonly since?: string }
  /** etcd no longer holds the node's key. */
  | { readonly unregistered: string }
  /** An engine leads; with `not`, another one than at that mark; with `electedSince`, one elected after it. */
  | { readonly leader: 'one'; readonly not?: string; readonly electedSince?: string }
  /** A node's disk and exports match what etcd says. */
  | { readonly converged: string }
  /** The log of a node has this event, after the mark. */
  | { readonly logged: string; readonly by: Target; readonly after: string };

/** A member's name; `leader` for the node whose engine leads now, `leader@mark` for the one that led then. */
export type Target = string;

export type Step =
  /** Names this moment, and the leader's node in it, for later steps. */
  | { readonly mark: string }
  | {
      readonly call: VolumeCall;
      /** Node whose API is asked. */
      readonly via: Target;
      readonly status: number;
      readonly withinMs?: number;
    }
  /** Asks every endpoint of every given node, and expects these answers within `withinMs`. */
  | { readonly probe: 'etcd-absent'; readonly via: readonly Target[]; readonly withinMs: number }
  /** One file of a volume, through NFS; tried again until the outcome shows. Measured from the mark `since`, or from now. */
  | {
      readonly io: 'write' | 'read';
      readonly volume: string;
      readonly by: string;
      readonly file: string;
      readonly outcome: 'ok' | 'refused';
      readonly withinMs: number;
      readonly since?: string;
      readonly setup?: boolean;
    }
  | {
      readonly fault: 'kill' | 'stop' | 'start' | 'pause' | 'resume';
      readonly target: Target;
      readonly role?: Role;
    }
  /**
   * Measured from the mark `since`, or from now. With `setup` it is what the
   * experiment needs, not what the system owes: missing it leaves the verdict unknown.
   */
  | {
      readonly await: Condition;
      readonly withinMs: number;
      readonly since?: string;
      readonly setup?: boolean;
    }
  /** Steps at the same time. */
  | { readonly together: readonly Step[] }
  /** Must stay true for so long: an outage lasts, and nothing may change meanwhile. */
  | { readonly hold: number; readonly why: string }
  | { readonly inventory: string }
  /** Starts writes and reads of a consumer that go on until `endTraffic`. */
  | { readonly traffic: string; readonly by: string; readonly volume: string }
  | { readonly endTraffic: string };

export interface Scenario {
  readonly name: string;
  /** One sentence: what must hold. */
  readonly title: string;
  readonly topology: TopologyInput;
  /** Containers that aren't started at first. */
  readonly absentAtStart?: readonly string[];
  readonly script: readonly Step[];
  readonly checks: readonly CheckName[];
}
