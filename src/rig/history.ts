// What a run records. Everything that happens goes on one time line: `atMs` is
// milliseconds since the run began, on the rig's monotonic clock. Checks read
// nothing else, so a run can be judged again at any time.

import type { LogFields, LogLevel } from '../base/log.ts';
import type { Topology } from './topology.ts';

/** What a client asked for. */
export type Operation =
  | {
      readonly kind: 'http';
      readonly node: string;
      readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
      readonly path: string;
      readonly body?: unknown;
    }
  | {
      readonly kind: 'nfs-write' | 'nfs-read';
      readonly consumer: string;
      /** Node that serves the volume. */
      readonly server: string;
      readonly volume: string;
      /** Relative path inside the volume. */
      readonly file: string;
      /** Digest of the content; of a write: what is to be written. */
      readonly sha256?: string;
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
  /** Whoever called; one process has one call open at a time. */
  readonly process: string;
  readonly operation: Operation;
  /** HTTP status, where there was an answer. */
  readonly status?: number;
  readonly body?: unknown;
  /** Digest of what was read or written. */
  readonly sha256?: string;
  /** What went wrong. */
  readonly error?: string;
  /** The server denied access; of an `info` write: after it had begun. */
  readonly refused?: boolean;
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
}

export interface InventoryVolume {
  readonly id: string;
  readonly quotaBytes: number | null;
  readonly usedBytes: number;
  /** SHA-256 of each regular file, by relative path. */
  readonly files: Readonly<Record<string, string>>;
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

export type HistoryEvent = CallEvent | FaultEvent | ExpectationEvent | InventoryEvent | FinalStateEvent;

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

/** All that a check may look at. */
export interface RecordedRun {
  readonly scenario: string;
  readonly seed: number;
  readonly topology: Topology;
  /** IP address of each consumer, by name. */
  readonly consumers: Readonly<Record<string, string>>;
  readonly history: readonly HistoryEvent[];
  /** In revision order, from revision 1. */
  readonly etcd: readonly EtcdEvent[];
  /** True when the recorder saw every revision up to the final state. */
  readonly etcdComplete: boolean;
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
