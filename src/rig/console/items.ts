// What the console shows, as data: things by their ids, each whole, so that whoever
// looks on is told of those that have changed and of nothing else.

import type { Role, VolumeState } from '../../model/volume.ts';

export type ConsoleKind = 'cluster' | 'fleet' | 'run';

/** What one looks at, and what can be done to it. */
export interface ClusterItem {
  readonly is: 'cluster';
  readonly kind: ConsoleKind;
  /** As people call it. */
  readonly title: string;
  readonly folder: string;
  /** Null: whatever a member can take. Otherwise why nothing, or not everything, can be done here, as a sentence. */
  readonly limits: string | null;
  /** What became of it, and what to do; null while it is there. Out of reach it may be there all the same. */
  readonly gone: {
    readonly why: string;
    readonly next: string;
    readonly atMs: number;
    readonly isUnreachable?: boolean;
  } | null;
}

export interface EtcdItem {
  readonly is: 'etcd';
  readonly revision: number;
  /** The first revision that is still known. */
  readonly from: number;
  /** Since when nobody has answered, and why; null while somebody does. What is shown of it is as of then. */
  readonly stale: { readonly sinceMs: number; readonly why: string } | null;
}

export interface LeaderItem {
  readonly is: 'leader';
  readonly node: string;
  /** The creation revision of its key: the fencing token. */
  readonly term: number;
  readonly since: string;
}

/** Of the leader's key. */
export interface LeaseItem {
  readonly is: 'lease';
  readonly grantedSeconds: number;
  /** As etcd said at `atMs`, in whole seconds, rounded down. */
  readonly leftSeconds: number;
  readonly atMs: number;
}

export type MemberKind = 'node' | 'etcd' | 'consumer';

/** `absent`: nothing is there of it. `off`: a simulated node without power. `unknown`: nobody tells. */
export type MemberState = 'running' | 'frozen' | 'down' | 'absent' | 'off' | 'unknown';

export type RoleCondition = 'running' | 'frozen' | 'down';

export interface MemberItem {
  readonly is: 'member';
  readonly name: string;
  readonly kind: MemberKind;
  readonly state: MemberState;
  /** Those that it is to run; empty where nobody tells of them. */
  readonly roles: Readonly<Partial<Record<Role, RoleCondition>>>;
  readonly url: string | null;
  readonly address: string | null;
  /** What etcd says of a node that has an agent; null for all else. */
  readonly node: NodeFacts | null;
}

/** Sizes in GiB. */
export interface NodeFacts {
  /** Whether its agent holds a lease. */
  readonly registered: boolean;
  readonly capacityGib: number | null;
  readonly reservedGib: number;
  readonly freeGib: number | null;
  readonly volumes: number;
  readonly draining: boolean;
  /** What is wrong with its disk; null when nothing is. */
  readonly disk: string | null;
  readonly labels: Readonly<Record<string, string>>;
}

export interface VolumeItem {
  readonly is: 'volume';
  readonly id: string;
  readonly name: string;
  readonly state: VolumeState | 'malformed';
  readonly node: string | null;
  /** Where a move goes to. */
  readonly to: string | null;
  readonly reservedGib: number;
  readonly exports: readonly ExportView[];
  readonly error: string | null;
  readonly parent: string | null;
  readonly revision: number;
}

export interface ExportView {
  /** An address or a CIDR. */
  readonly host: string;
  /** Consumers that it lets in. */
  readonly consumers: readonly string[];
  readonly access: string;
  readonly squash: string;
}

/** What is broken by hand, or by the run that kept the cluster, and how it is undone. */
export interface OwedItem {
  readonly is: 'owed';
  /** As `rig heal` knows it; null for what is only down or frozen. */
  readonly id: string | null;
  readonly what: string;
  readonly members: readonly string[];
  /** The order that undoes it. */
  readonly undo: unknown;
}

/** Something that was asked for here, and what came of it. */
export interface OrderItem {
  readonly is: 'order';
  readonly number: number;
  readonly what: string;
  readonly state: 'waiting' | 'under way' | 'done' | 'doubtful' | 'failed';
  /** What was seen, or what went wrong and what to do. */
  readonly told: string;
  readonly atMs: number;
}

/** A span of the run in which something was broken on purpose. */
export interface FaultItem {
  readonly is: 'fault';
  readonly label: string;
  readonly fromMs: number;
  readonly evidence: string;
}

export type Item =
  | ClusterItem
  | EtcdItem
  | LeaderItem
  | LeaseItem
  | MemberItem
  | VolumeItem
  | OwedItem
  | OrderItem
  | FaultItem;

/** By id: `cluster`, `etcd`, `leader`, `lease`, and `member:<name>`, `volume:<id>` and so on. */
export type Items = Readonly<Record<string, Item>>;

export interface ItemChanges {
  readonly set: Items;
  readonly gone: readonly string[];
}

/** What turns the one into the other; undefined when nothing does. */
export function changesOf(before: Items, after: Items): ItemChanges | undefined {
  const set = Object.entries(after).filter(([id, item]) => !isSame(before[id], item));
  const gone = Object.keys(before).filter((id) => after[id] === undefined);
  return set.length + gone.length === 0 ? undefined : { set: Object.fromEntries(set), gone };
}

const isSame = (a: Item | undefined, b: Item): boolean =>
  a === b || (a !== undefined && JSON.stringify(a) === JSON.stringify(b));
