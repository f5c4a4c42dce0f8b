// What a run records. Everything that happens goes on one time line: `atMs` is
// milliseconds since the run began, on the rig's monotonic clock. Checks read
// nothing else, so a run can be judged again at any time.

import type { LogFields, LogLevel } from '../base/log.ts';
import type { Role } from '../model/volume.ts';
import type { FaultSpec } from './faults/spec.ts';
import type { Topology } from './topology.ts';
import type { Workload } from './workload/spec.ts';

/** What a client asked for. */
export type Operation =
  | {
      readonly kind: 'http';
      readonly node: string;
      readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
      readonly path: string;
      readonly body?: unknown;
      /** Entity tags that the change was made conditional on. */
      readonly ifMatch?: string;
    }
  | {
      readonly kind: 'nfs-write' | 'nfs-read';
      readonly consumer: string;
      /** Where the consumer mounted it: a node's name or address. */
      readonly server: string;
      readonly volume: string;
      /** Relative path inside the volume. */
      readonly file: string;
      /** Digest of the content; of a write: what is to be written. */
      readonly sha256?: string;
      /** The user that the client says it is; default 0, root. */
      readonly uid?: number;
      /** By the consumer's kernel mount, through a file that stays open. Default: by libnfs, a client for each call. */
      readonly through?: 'kernel';
    };

/**
 * A client's call: `invoke`, then exactly one of `ok` (it happened), `fail`
 * (it certainly did not) or `info` (nobody knows).
 */
export interface CallEvent {
  readonly type: 'call';
  readonly atMs: number;
  readonly phase: 'invoke' | 'ok' | 'fail' | 'info';
  /** Pairs the invocation with its completion. */
  readonly call: number;
  /**
   * Whoever called; one process has one call open at a time, and one of which nobody knows what
   * became stays open: the client goes on as another process, `work 1 (2)`, as in Jepsen.
   */
  readonly process: string;
  readonly operation: Operation;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  readonly body?: unknown;
  /** Entity tag of the answer, quotes and all. */
  readonly etag?: string;
  /** Digest of what was read or written. */
  readonly sha256?: string;
  /** The node that was asked, of a call through a mount: whoever calls learns only then which one that was. */
  readonly server?: string;
  /** What went wrong. */
  readonly error?: string;
  /** The server denied access; of an `info` write: after it had begun. */
  readonly refused?: boolean;
  /** Of an `info` write: it came to the end of the volume's quota or of the disk. */
  readonly full?: boolean;
  /** Of a read that failed: the volume was mounted, and had no such file. Records of before don't tell. */
  readonly absent?: boolean;
}

/** The client that has gone on as this process. */
export const callerOf = (process: string): string => process.replace(/ \(\d+\)$/, '');

/** What a consumer does that follows the cluster's events (`GET /events`). */
export interface FollowEvent {
  readonly type: 'follow';
  readonly atMs: number;
  /** `open`: from now on it hears of everything. `lost`: the stream broke. `end`: it hung up. */
  readonly phase: 'open' | 'lost' | 'end';
  readonly consumer: string;
  /** Node whose API it listens to. */
  readonly node: string;
  /** The last id that it had heard by then, and went on from. */
  readonly lastEventId?: string;
  readonly error?: string;
}

/** One server-sent event, as the consumer got it. */
export interface ToldEvent {
  readonly type: 'told';
  readonly atMs: number;
  readonly consumer: string;
  readonly node: string;
  /** The event's own id; only the last of those of one revision has one. */
  readonly id?: string;
  /** Its type. */
  readonly event: string;
  readonly data: unknown;
}

/** What a consumer did with a kernel mount. */
export interface MountEvent {
  readonly type: 'mount';
  readonly atMs: number;
  readonly consumer: string;
  readonly volume: string;
  /** `opened`: an application opened a file of it, for the first time or anew. `unavailable`: there is no such mount here. */
  readonly did: 'mounted' | 'unmounted' | 'failed' | 'opened' | 'unavailable';
  /** Null: nowhere. */
  readonly server: string | null;
  readonly at?: string;
  /** `asked`, or what the cluster told it. */
  readonly why?: string;
  readonly tookMs?: number;
  readonly file?: string;
  readonly error?: string;
}

export interface FaultEvent {
  readonly type: 'fault';
  readonly atMs: number;
  /** `inject` is written before anything is touched, `injected` once the effect was seen. */
  readonly phase: 'inject' | 'injected';
  readonly fault: string;
  /** Container, and role where only that was hit. */
  readonly container: string;
  readonly role?: string;
}

/** A phase in the life of a fault that is healed again (faults/nemesis.ts). */
export interface NemesisEvent {
  readonly type: 'nemesis';
  readonly atMs: number;
  /**
   * `inject` and `heal` are written before anything is touched, `shown` and `healed` once the
   * effect, or its absence, was seen. `unavailable`: it can't be had here, and nothing was done.
   */
  readonly phase: 'inject' | 'shown' | 'heal' | 'healed' | 'unavailable';
  /** Its name in the script; unique in the run. */
  readonly id: string;
  readonly fault: FaultSpec;
  /** Who was chosen to be hit. */
  readonly members: readonly string[];
  /** What was seen, or what is missing here. */
  readonly evidence?: string;
}

/** From `begin` to `end` clients were to call so often; their names begin with the workload's. */
export interface WorkloadEvent {
  readonly type: 'workload';
  readonly atMs: number;
  readonly phase: 'begin' | 'end';
  readonly name: string;
  readonly workload: Workload;
}

/** A bound that the scenario sets, with what was measured against it. */
export interface ExpectationEvent {
  readonly type: 'expectation';
  readonly atMs: number;
  /** A sentence: what must hold. */
  readonly what: string;
  /** `met`, `missed` (seen to be false, or not seen in time) or `unseen` (could not be observed). */
  readonly outcome: 'met' | 'missed' | 'unseen';
  readonly boundMs?: number;
  readonly measuredMs?: number;
  /** What was last seen. */
  readonly seen: string;
  /** It was missed for good: more time would have made no difference. */
  readonly isFinal?: boolean;
  /** Id of the fault before or after which the cluster had to be well. */
  readonly around?: string;
}

export interface InventoryVolume {
  readonly id: string;
  readonly quotaBytes: number | null;
  readonly usedBytes: number;
  /** SHA-256 of each regular file, by relative path. */
  readonly files: Readonly<Record<string, string>>;
  /** User ids of those that aren't root's; absent in records that have none. */
  readonly owners?: Readonly<Record<string, number>>;
}

export interface InventoryExport {
  readonly id: string;
  readonly clients: readonly { readonly host: string; readonly access: string; readonly squash: string }[];
}

/** What is on a node's disk and in its NFS server, read behind the daemon's back. */
export interface Inventory {
  readonly volumes: readonly InventoryVolume[];
  readonly trash: readonly string[];
  readonly exports: readonly InventoryExport[];
  /** Copies of volumes that moves have made: `<volume>.<copy>`. */
  readonly copies?: readonly string[];
  /**
   * How many cores the process of each role, with those that it started, used of the time in which it wasn't kept waiting
   * for one, at most 1: the last of several looks. In final inventories; a role that ran through no look is missing.
   */
  readonly coresWanted?: Readonly<Partial<Record<Role, number>>>;
}

export interface InventoryEvent {
  readonly type: 'inventory';
  readonly atMs: number;
  /** Which collection this belongs to; the last one of a run is `final`. */
  readonly label: string;
  readonly node: string;
  readonly inventory: Inventory;
}

/** Everything under the root in etcd, and every live lease, at the end. */
export interface FinalStateEvent {
  readonly type: 'final-state';
  readonly atMs: number;
  readonly revision: number;
  readonly keys: Readonly<Record<string, string>>;
  readonly keyLeases: Readonly<Record<string, string>>;
  readonly leases: readonly string[];
}

/** Two members that tell different things of one revision. */
export interface Disagreement {
  readonly revision: number;
  /** Who told what, the first to tell of the revision first; values only by their digest. */
  readonly told: readonly [Telling, Telling];
}

export interface Telling {
  readonly member: string;
  readonly events: readonly string[];
}

/** When the rig noticed it. */
export interface DisagreementEvent extends Disagreement {
  readonly type: 'disagreement';
  readonly atMs: number;
}

/** How busy the machine was, the rig's own, while the containers ran on it (machine.ts). */
export interface MachineEvent {
  readonly type: 'machine';
  readonly atMs: number;
  /** For so long, up to `atMs`, it was watched. */
  readonly overMs: number;
  /** How late the rig's own timers were meanwhile, all together. */
  readonly lateMs: number;
  /** How many tasks ran or waited for a core, on average; the rig is one of them. */
  readonly runnable: number;
  readonly cores: number;
}

export type HistoryEvent =
  | CallEvent
  | FollowEvent
  | ToldEvent
  | MountEvent
  | FaultEvent
  | NemesisEvent
  | WorkloadEvent
  | ExpectationEvent
  | InventoryEvent
  | FinalStateEvent
  | DisagreementEvent
  | MachineEvent;

/** One event of etcd's own history; events of one transaction share the revision. */
export interface EtcdEvent {
  /** When the rig saw it: after the commit, usually by milliseconds. */
  readonly atMs: number;
  readonly revision: number;
  readonly kind: 'put' | 'delete';
  readonly key: string;
  /** Absent for deletes. */
  readonly value?: string;
  readonly createRevision?: number;
  readonly lease?: string;
}

/** A line that a daemon logged, on the run's time line. */
export interface NodeLogLine {
  readonly atMs: number;
  readonly container: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: LogFields;
}

/** Of a run that isn't in containers. */
export const RUN_MODES = ['simulated', 'process'] as const;
export type RunMode = (typeof RUN_MODES)[number];

/** All that a check may look at. */
export interface RecordedRun {
  readonly scenario: string;
  readonly seed: number;
  /** How long it was told to last; of one that is drawn from its seed. */
  readonly durationMs?: number | undefined;
  /** The seed doesn't draw it: what was run is in plan.json. Default: false. */
  readonly isGiven?: boolean | undefined;
  /** Undefined: containers. */
  readonly mode?: RunMode | undefined;
  readonly topology: Topology;
  /** IP address of each consumer, by name. */
  readonly consumers: Readonly<Record<string, string>>;
  readonly history: readonly HistoryEvent[];
  /** In revision order, from revision 1. */
  readonly etcd: readonly EtcdEvent[];
  /** True when the recorder saw every revision up to the final state. */
  readonly etcdComplete: boolean;
  /** Why the run did not come to its end, as a sentence; absent when it did. */
  readonly interrupted?: string | undefined;
  /** By time. */
  readonly logs: readonly NodeLogLine[];
}

export type Judgement = 'valid' | 'invalid' | 'unknown';

export interface Verdict {
  readonly check: string;
  readonly verdict: Judgement;
  /** One sentence: what was looked at, or what is wrong, or what was missing. */
  readonly reason: string;
  /** The smallest part of the history that shows the violation, a line each. */
  readonly counterExample?: readonly string[];
}

/** A check: pure, and never `valid` when it saw nothing that it could have rejected. */
export type Check = (run: RecordedRun) => Verdict;
