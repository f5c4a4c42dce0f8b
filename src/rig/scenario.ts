// A scenario: a topology, a script of client calls, faults and expectations in
// the order in which they happen, and the checks that judge the recorded run.

import type { Compression, Role } from '../model/volume.ts';
import type { CheckName } from './checks/catalogue.ts';
import type { FaultSpec } from './faults/spec.ts';
import type { Action } from './instructions.ts';
import type { TopologyInput } from './topology.ts';
import type { Workload } from './workload/spec.ts';

/** A consumer by name; the rig fills in its address. */
export interface ConsumerRule {
  readonly consumer: string;
  readonly access: 'rw' | 'ro';
  /** Default: none. */
  readonly squash?: 'none' | 'root' | 'all';
}

/** A call on the API. Volumes go by the name that the scenario gave them. */
export type ApiCall =
  | {
      readonly create: string;
      readonly sizeGib: number;
      readonly constraints?: Readonly<Record<string, string>>;
      readonly exports?: readonly ConsumerRule[];
    }
  | {
      readonly clone: string;
      readonly of: string;
      readonly sizeGib: number;
      readonly exports?: readonly ConsumerRule[];
    }
  | {
      readonly resize: string;
      readonly sizeGib: number;
      readonly constraints?: Readonly<Record<string, string>>;
    }
  | { readonly reexport: string; readonly exports: readonly ConsumerRule[] }
  /** Without `to`, to whichever node the engine picks. */
  | { readonly move: string; readonly to?: string }
  | { readonly defragment: string }
  | { readonly compress: string; readonly algorithm: Compression }
  | { readonly remove: string }
  | { readonly drain: string }
  | { readonly undrain: string };

/** What a refusal has to tell besides its status. */
export type Reason =
  /** How many bytes are in use, between these. */
  | { readonly usedBytes: { readonly least: number; readonly most: number } }
  /** Exactly these volumes: clones that are pending. */
  | { readonly clones: readonly string[] };

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
      /** What the agent has made the size. */
      readonly sizeGib?: number;
    }
  /** The node's API process answers `/healthz`. */
  | { readonly answering: 'all' | string }
  /** The node's `/readyz` says that it reaches etcd. */
  | { readonly ready: 'all' | string }
  /** The member of etcd, or every one, answers a linearizable read: it has a quorum and has caught up. */
  | { readonly etcdAnswers: 'all' | string }
  /** The node, or every node, is registered in etcd; with `since`, by a write after that mark. */
  | { readonly registered: 'all' | string; readonly since?: string }
  /** etcd no longer holds the node's key. */
  | { readonly unregistered: string }
  /** An engine leads; with `not`, another one than at that mark; with `electedSince`, one elected after it. */
  | { readonly leader: 'one'; readonly not?: string; readonly electedSince?: string }
  /** A node's disk and exports match what etcd says. */
  | { readonly converged: string }
  /** Nothing is on the node, by its disk, its NFS server and etcd, and nothing is on its way there. */
  | { readonly empty: string }
  /** Every volume is ready, and no two live nodes' shares of their capacity differ by more than this. */
  | { readonly balancedWithinPercent: number }
  /** The consumer, who follows the events, was told to do this with the volume, after the mark; with `on`, that it is there now. */
  | {
      readonly told: string;
      readonly volume: string;
      readonly to: Action;
      readonly on?: string;
      readonly after: string;
    }
  /** The consumer has the volume mounted by a kernel, from that node; null: it had, and has not any more. Holds where it has no such mounts. */
  | { readonly mounted: string; readonly of: string; readonly on: string | null }
  /** `GET /nodes/<name>` says so: that it drains, how many volumes it still has, and of how many something remains. */
  | {
      readonly draining: string;
      readonly left: { readonly least: number; readonly most: number };
      readonly remains?: number;
    }
  /** The log of a node has this event, after the mark. */
  | { readonly logged: string; readonly by: Target; readonly after: string };

/** A member's name; `leader` for the node whose engine leads now, `leader@mark` for the one that led then. */
export type Target = string;

export type Step =
  /** Names this moment, and the leader's node in it, for later steps. */
  | { readonly mark: string }
  | {
      readonly call: ApiCall;
      /** Node whose API is asked. */
      readonly via: Target;
      readonly status: number;
      readonly withinMs?: number;
      /** What the body has to say. */
      readonly because?: Reason;
    }
  /** Asks every endpoint of every given node, and expects these answers within `withinMs`. */
  | { readonly probe: 'etcd-absent'; readonly via: readonly Target[]; readonly withinMs: number }
  /** One file of a volume, through NFS; tried again until the outcome shows. Measured from the mark `since`, or from now. */
  | {
      readonly io: 'write' | 'read';
      readonly volume: string;
      readonly by: string;
      readonly file: string;
      /** `full`: the volume's quota leaves no room. `unknown`: it broke off, and nobody was told why. */
      readonly outcome: 'ok' | 'refused' | 'full' | 'unknown';
      readonly withinMs: number;
      readonly since?: string;
      readonly setup?: boolean;
      /** Of a write; default 256 KiB. */
      readonly bytes?: number;
      /** The user that the consumer says it is; default 0, root. */
      readonly uid?: number;
      /** Asks this node, instead of where the volume is or where the consumer was told that it is. */
      readonly at?: string;
    }
  /** From now on the consumer follows the events at this node's API, and mounts volumes where it is told to. */
  | { readonly follow: string; readonly via: string }
  /**
   * The consumer mounts the volume by a kernel, and does with it what the cluster tells it. Where the mode has no
   * kernel to mount by that is on record, and what is to be done with the mount is not done.
   */
  | { readonly mount: string; readonly by: string }
  /**
   * An application on that mount, until `endTraffic`: it writes `openFile`, which stays open, and reads it back, and
   * reads `reading`, which is there.
   */
  | {
      readonly traffic: string;
      readonly by: string;
      readonly volume: string;
      readonly openFile: string;
      readonly reading: string;
    }
  /** Starts a node that was to start later. */
  | { readonly join: string }
  | {
      readonly fault: 'kill' | 'stop' | 'start' | 'pause' | 'resume';
      readonly target: Target;
      readonly role?: Role;
    }
  /**
   * Injects it, and goes on once it shows. Whatever isn't healed by the script's end is healed then. `after`: it waits for
   * those of these faults that have begun to be healed. Default: for none.
   */
  | { readonly inject: FaultSpec; readonly as: string; readonly after?: readonly string[] }
  | { readonly heal: string }
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
  | { readonly inOrder: readonly Step[] }
  /**
   * Must stay true for so long: an outage lasts, and nothing may change meanwhile. Measured from
   * the mark `since`, or from now.
   */
  | { readonly hold: number; readonly why: string; readonly since?: string }
  | { readonly inventory: string }
  /**
   * Starts calls of a consumer that go on until `endTraffic`: writes, and reads of what was written; or
   * with `reading` of that file alone, and with `at` at that node, wherever the volume is.
   */
  | {
      readonly traffic: string;
      readonly by: string;
      readonly volume: string;
      readonly reading?: string;
      readonly at?: string;
    }
  /** Clients that call, until `endTraffic` names it. Only consumers that follow the events use NFS. */
  | {
      readonly workload: Workload;
      readonly as: string;
      /** Default: drawn from the run's own. */
      readonly seed?: number;
    }
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
  /** For the record and for people; of one that a seed decides, or of which a part was left. */
  readonly plan?: ScenarioPlan;
}

export interface ScenarioPlan {
  /** plan.json. */
  readonly data: unknown;
  readonly text: string;
  /** Of one that is told how long to last. */
  readonly durationMs?: number;
  /** No seed draws it: it is what plan.json says. Default: false. */
  readonly isGiven?: boolean;
}

/**
 * The same experiment on another system, instead of what this repository's sources make: at a path, which begins with
 * /, ./ or ../, or an image that there is.
 */
export const onSystem = (scenario: Scenario, system: string): Scenario => ({
  ...scenario,
  topology: {
    ...scenario.topology,
    system: isPath(system) ? { kind: 'path', path: system } : { kind: 'image', image: system },
  },
});

export const isPath = (system: string): boolean => /^\.{0,2}\//.test(system);
