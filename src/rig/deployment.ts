// A started cluster, as the rig handles it: the same interface for every mode.

import type { Role } from '../model/volume.ts';
import type { Inventory } from './history.ts';
import type { LogRecord } from './log-record.ts';
import type { Topology } from './topology.ts';

/** What a command in a container came back with. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A call as the rig's own clients make it. */
export interface HttpRequest {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Until the whole answer must be there. Default: never. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What the rig looks at of the Fetch standard's Response. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

export type ContainerState = 'absent' | 'created' | 'running' | 'paused' | 'exited';

/** What can be done to a container, or to one role's process in it. */
export type Act = 'kill' | 'stop' | 'start' | 'pause' | 'resume';

export interface LogFollowing {
  /** Resolves when all that was printed by now has been handed over; then nothing more is. */
  end(): Promise<void>;
}

export interface InventoryOptions {
  /** Also what the roles want of a core, which takes 0.5 s, or up to 16 s while they are busy. Default false. */
  readonly withCoresWanted?: boolean;
}

/**
 * Members go by the names of the topology (etcd's members, nodes, consumers). Addresses
 * are looked up at each call, since a restart changes them. Every call throws
 * `not_found` for an unknown member and `machine` when the engine fails.
 */
export interface Deployment extends AsyncDisposable {
  readonly topology: Topology;
  /** Unique among the clusters of this machine; every resource carries it. */
  readonly runId: string;
  /** Base URL of a node's API, reachable from the rig. */
  api(node: string): Promise<string>;
  /** URLs of the client ports of etcd's members that run now, or of this one, reachable from the rig; at least one. */
  etcd(member?: string): Promise<readonly string[]>;
  /** Base URL of a consumer's service, reachable from the rig. */
  consumer(name: string): Promise<string>;
  /** What a consumer mounts by is made ready. Absent in modes that have no kernel mounts. */
  prepareMounts?(consumer: string): Promise<void>;
  /** HTTP to an API or a consumer, from the rig. Rejects as the Fetch standard's fetch does. */
  fetch(url: string, request?: HttpRequest): Promise<HttpResponse>;
  /** The member's IP address on the cluster's own network. */
  address(member: string): Promise<string>;
  state(member: string): Promise<ContainerState>;
  /** Another one after each start of the member. */
  incarnation(member: string): Promise<string>;
  /** Resolves once the effect was seen. */
  act(act: Act, member: string, options?: { readonly role?: Role }): Promise<void>;
  /** Whether a process of that role is there, frozen or not, on a node that runs. */
  hasRole(node: string, role: Role): Promise<boolean>;
  /** What is on a node's disk and in its NFS server, read behind the daemon's back. Throws `io` when it can't be read. */
  inventory(node: string, options?: InventoryOptions): Promise<Inventory>;
  exec(member: string, command: readonly string[]): Promise<ExecResult>;
  /** What tells a client's content (consumer/content.ts) from others where files have no bytes. Default: its SHA-256. */
  readonly digestOf?: (content: { readonly name: string; readonly bytes: number }) => string;
  /** Everything that the member printed so far, each line with its time. */
  logs(member: string): Promise<string>;
  /** Saves every member's logs, a folder each (log-record.ts). */
  saveLogs(folder: string): Promise<void>;
  /** What is saved, by member. Absent where it is only there once it is saved. */
  logRecords?(): ReadonlyMap<string, readonly LogRecord[]>;
  /** Hands over every line that any member prints, from its first one, as it is printed. Absent where lines are there only in the end. */
  followLogs?(onRecord: (record: LogRecord) => void): LogFollowing;
  /** Starts one more node, be it new or one that was to start later; resolves when its container runs. */
  addNode(node: Topology['nodes'][number]): Promise<void>;
  /** Ends a node for good, disk included. */
  removeNode(name: string): Promise<void>;
  /**
   * Makes a node that does not run anew from an image, as all that join later are made, or without one
   * from its own; its disk stays. It is left to be started.
   */
  renew(node: string, image?: string): Promise<void>;
  /** Whether nodes can be made from it here. */
  hasImage(image: string): Promise<boolean>;
  readonly store: Store;
  readonly links: Links;
  readonly disks: Disks;
  readonly clocks: Clocks;
  readonly failpoints: FailpointSwitches;
  readonly memory: Memory;
  /** Prometheus text of a node. */
  metrics(node: string): Promise<string>;
  /** From now on it is there for people: nothing removes it but `rig down`. */
  keep(): void;
  /** Removes every trace. Idempotent. */
  teardown(): Promise<void>;
}

/**
 * What is done to the packets of a link. Several on one link add up: delays are summed, of
 * limits the lowest counts.
 */
export type LinkEffect =
  | { readonly does: 'drop' }
  | { readonly does: 'lose'; readonly percent: number }
  /** Later by `delayMs`, give or take `jitterMs`; their order stays. */
  | { readonly does: 'delay'; readonly delayMs: number; readonly jitterMs: number }
  /** Of this link alone: two links have twice as much. */
  | { readonly does: 'limit'; readonly kbitPerSecond: number }
  /** TCP connections, new and open ones, end with a reset as soon as a packet is sent. */
  | { readonly does: 'reset' }
  /** On the connections that `to` opened: handshakes and acknowledgements pass, all else is lost. */
  | { readonly does: 'mute' };

/** Packets that leave `from` for `to`, both members' names. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly effect: LinkEffect;
}

export type Path = Pick<Link, 'from' | 'to'>;

/** What came of a path's datagrams at the receiver. */
export interface Arrivals extends Path {
  readonly sent: number;
  /** How long each took that arrived, in the order in which they came. */
  readonly tookMs: readonly number[];
  /** Between the first arrival and the last. */
  readonly spanMs: number;
}

/**
 * What came of a TCP connection: `answered` (what was sent came back), `mute` (it opened, and
 * nothing came back), `refused`, `reset`, `silent` (it did not open).
 */
export interface Connection extends Path {
  readonly outcome: 'answered' | 'mute' | 'refused' | 'reset' | 'silent';
  /** Until the outcome was known. */
  readonly tookMs: number;
}

/**
 * The network between members; what the rig itself sees of them stays as it is. Probes
 * go between companions in the members' own networks, so that they tell of the links
 * and not of what the members do; those from or to a member without a network, because
 * it does not run, are left out of the answer. Every call throws `machine` when it can't be done.
 */
export interface Links {
  /**
   * In the place of the key's links so far; none ends it. Resolves when it is in force. It stays
   * in force over restarts of members, within a second of their start.
   */
  set(key: string, links: readonly Link[]): Promise<void>;
  /** By key. */
  inForce(): ReadonlyMap<string, readonly Link[]>;
  /** One way: datagrams, one right after the other, of so many bytes (at most 1,400); late is what takes longer than `withinMs`. */
  send(
    paths: readonly Path[],
    packets: { readonly count: number; readonly bytes: number; readonly withinMs: number },
  ): Promise<readonly Arrivals[]>;
  /** Gives up after `withinMs`. */
  connect(paths: readonly Path[], withinMs: number): Promise<readonly Connection[]>;
  /** What this machine lacks for it; undefined when it can be had. */
  missing(effect: LinkEffect['does']): Promise<string | undefined>;
}

export type DiskCondition =
  /** No block of it is free: what is allocated belongs to no volume. */
  | { readonly is: 'full' }
  /** Mounted so. Has no effect while a file is open for writing. */
  | { readonly is: 'read-only' }
  /** Every read and write of the device fails. */
  | { readonly is: 'failing' }
  | { readonly is: 'slow'; readonly kbitPerSecond: number };

/** What came of a write that was to be durable. */
export interface DiskWrite {
  readonly outcome: 'written' | 'disk-full' | 'quota-full' | 'read-only' | 'failed';
  readonly tookMs: number;
}

/**
 * The disks of nodes. Every call throws `machine` when it can't be done; a node that does not
 * run can be looked at by none of them.
 */
export interface Disks {
  /**
   * In the place of the key's condition on that disk so far; undefined ends it. Several on one disk
   * add up: of limits the lowest counts. One that was `failing` stays unusable, and its errors
   * counted, until its node is started anew. A node that doesn't run gets it when it is started.
   */
  set(key: string, node: string, condition: DiskCondition | undefined): Promise<void>;
  /** What the disk's conditions come to. */
  inForce(node: string): readonly DiskCondition[];
  /** Writes so much outside of every volume, and removes it. */
  write(node: string, bytes: number): Promise<DiskWrite>;
  /** Uses up a volume's quota by a file of the rig's own, wherever the volume is. Throws `not_found` when it is nowhere. */
  fillVolume(volume: string): Promise<void>;
  /** Removes that file. */
  emptyVolume(volume: string): Promise<void>;
  /** Writes into the volume, wherever it is, by node. */
  writeVolume(volume: string): Promise<ReadonlyMap<string, DiskWrite>>;
  /** What the node lacks for a breakable disk, which its topology gives it; undefined when it can be had. */
  missing(node: string): Promise<string | undefined>;
}

/** How far a clock is ahead of the true time: a function of the time. */
export type ClockCondition =
  | { readonly is: 'offset'; readonly offsetMs: number }
  /** Another one twice a second, at random, at most `spanMs` either way. */
  | { readonly is: 'jumping'; readonly spanMs: number; readonly seed: number }
  /** 1.1: six seconds a minute too fast. */
  | { readonly is: 'drifting'; readonly rate: number };

/** How far ahead of the rig's own clock a clock was; negative: behind. As well as could be seen. */
export interface ClockReading {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** The wall clocks of nodes' daemons. Every call throws `machine` when it can't be done. */
export interface Clocks {
  /** As {@link Disks.set}: several on one clock are summed. */
  set(key: string, node: string, condition: ClockCondition | undefined): Promise<void>;
  /** How far ahead it is to be now by all conditions but the key's. */
  expectedMs(node: string, exceptKey: string): number;
  /** By what the node's API says the time is, to the second. */
  read(node: string): Promise<ClockReading>;
  /** What this machine lacks for setting a clock wrong; undefined when it can be done. */
  missing(): Promise<string | undefined>;
}

/** A key as it is in etcd. */
export interface StoredKey {
  /** Another one when it was deleted and made again. */
  readonly createRevision: number;
  /** In hexadecimal digits; undefined when it has none. */
  readonly lease: string | undefined;
}

/**
 * etcd as whoever operates it handles it, past the daemons. What needs a quorum throws
 * `unavailable` when no member that runs can do it.
 */
export interface Store {
  /** By a linearizable read; undefined when there is no such key. */
  read(key: string): Promise<StoredKey | undefined>;
  lives(lease: string): Promise<boolean>;
  /** Nothing happens when it is gone already. */
  revoke(lease: string): Promise<void>;
  /** Nothing happens when it was compacted that far already. */
  compact(revision: number): Promise<void>;
  /** Whether that revision can't be read any more. */
  isCompacted(revision: number): Promise<boolean>;
  /** One member, which answers nobody meanwhile. */
  defragment(member: string): Promise<void>;
  /** Ids in etcd of the members that have joined, by name, as those that run know it. */
  members(): Promise<ReadonlyMap<string, string>>;
  /** Why the member itself doesn't answer a linearizable read; undefined when it does. Throws what {@link Deployment.exec} does where it doesn't run or is frozen. */
  ailment(member: string): Promise<string | undefined>;
  /** Whether the member leads, by its own word; false as well when it can't be asked. */
  leads(member: string): Promise<boolean>;
  /** The data folder of a member that does not run goes; it is left to join anew. */
  lose(member: string): Promise<void>;
  /** Makes room for it among the members; it joins when it is started then. Nothing happens when it was done already. */
  readmit(member: string): Promise<void>;
}

/** The failpoints of nodes' daemons (base/failpoints.ts). */
export interface FailpointSwitches {
  /** As {@link Disks.set}: of two for one failpoint, the later counts. A node that doesn't run is left as it is. */
  set(key: string, node: string, failpoints: string | undefined): Promise<void>;
}

/** The memory that members may use. */
export interface Memory {
  /** Leaves so little of it that the kernel kills the member's largest process, until it is lifted. */
  exhaust(member: string): Promise<void>;
  /** Nothing happens where it was not exhausted. */
  lift(member: string): Promise<void>;
  /** How many processes of the member the kernel has killed for want of memory since it was started. */
  kills(member: string): Promise<number>;
  /** What this machine lacks for it; undefined when it can be had. */
  missing(): Promise<string | undefined>;
}
