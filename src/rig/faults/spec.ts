// Faults as data: what a scenario, or a plan drawn from a seed, says of them.
// Each kind has a file of its own that knows how it is done (catalogue.ts).

import type { Role } from '../../model/volume.ts';
import type { Selector } from './select.ts';

/** The kinds, with what each has to be told. Times in milliseconds. */
export type FaultSpec =
  | ProcessFault
  | NetworkFault
  | ClockFault
  | DiskFault
  | EtcdFault
  | ClusterFault
  | { readonly fault: 'failpoint'; readonly on: Selector; readonly failpoints: string };

export type ProcessFault =
  /** SIGKILL; healed by a start. A role comes back by its supervisor alone. */
  | { readonly fault: 'kill'; readonly on: Selector; readonly role?: Role }
  /** SIGTERM and its grace. */
  | { readonly fault: 'stop'; readonly on: Selector; readonly role?: Role }
  /** Frozen: connections stay up, nothing answers. */
  | { readonly fault: 'pause'; readonly on: Selector; readonly role?: Role }
  /** SIGKILL and at once a start. */
  | { readonly fault: 'restart'; readonly on: Selector }
  /** The kernel kills the largest process of the member for want of memory. */
  | { readonly fault: 'out-of-memory'; readonly on: Selector };

export type NetworkFault =
  | {
      readonly fault: 'partition';
      /**
       * `isolate`: those chosen reach nobody else, nor each other. `halves`: those chosen on one
       * side, all others on the other. `bridge`: two halves that only those chosen still reach.
       * `majorities-ring`: everyone reaches a majority, and no two the same one.
       */
      readonly shape: 'isolate' | 'halves' | 'bridge' | 'majorities-ring';
      readonly on: Selector;
    }
  /** What `from` sends to `to` is lost; with `oneWay` the other direction still works. */
  | { readonly fault: 'cut'; readonly from: Selector; readonly to: Selector; readonly oneWay?: boolean }
  /** Of every packet that those chosen send and receive. */
  | { readonly fault: 'loss'; readonly on: Selector; readonly percent: number }
  | { readonly fault: 'latency'; readonly on: Selector; readonly delayMs: number; readonly jitterMs: number }
  | { readonly fault: 'bandwidth'; readonly on: Selector; readonly kbitPerSecond: number }
  /** Every open connection of theirs ends with a reset, and so does every new one. */
  | { readonly fault: 'reset'; readonly on: Selector }
  /** Requests get through to them, what they answer is lost. */
  | { readonly fault: 'half-open'; readonly on: Selector };

/**
 * Of the daemon's wall clock, on nodes whose topology gives them one of their own. What is off by
 * less than two seconds can't be told from outside.
 */
export type ClockFault =
  | { readonly fault: 'clock-offset'; readonly on: Selector; readonly offsetMs: number }
  /** Forth and back, at random, at most by the span either way, until it is healed. */
  | { readonly fault: 'clock-jump'; readonly on: Selector; readonly spanMs: number }
  /** 1.1: six seconds a minute too fast. */
  | { readonly fault: 'clock-drift'; readonly on: Selector; readonly rate: number };

export type DiskFault =
  | { readonly fault: 'disk-full'; readonly on: Selector }
  /** The volume's quota is used up by a file of the rig's own; by the volume's name in the script. */
  | { readonly fault: 'quota-full'; readonly volume: string }
  /** Waits until no file is open for writing. */
  | { readonly fault: 'disk-read-only'; readonly on: Selector }
  /** Of breakable disks only. Healing it kills and starts the node, since BTRFS gives up the mount. */
  | { readonly fault: 'disk-errors'; readonly on: Selector }
  /** Of breakable disks only: what it reads and writes, together. */
  | { readonly fault: 'disk-slow'; readonly on: Selector; readonly kbitPerSecond: number };

export type EtcdFault =
  /** The data folder of members goes, while a majority still has it; healed by joining anew. */
  | { readonly fault: 'etcd-data-loss'; readonly on: Selector }
  /** Compacts up to now, again and again, and defragments each member, until it is healed. */
  | { readonly fault: 'etcd-compaction'; readonly everyMs: number }
  /** The lease of an agent or of the leading engine is revoked under it. */
  | { readonly fault: 'lease-revoked'; readonly on: Selector; readonly role: 'agent' | 'engine' };

export type ClusterFault =
  /** A node that starts later joins. */
  | { readonly fault: 'node-added'; readonly node: string }
  /** A node is ended for good: drained, deregistered, removed with its disk. */
  | { readonly fault: 'node-removed'; readonly node: string }
  /** Every node, one after the other, is stopped and started. */
  | { readonly fault: 'rolling-restart' }
  /** Every node, one after the other, is made anew from another image, over its own disk. Default: the image that it has. */
  | { readonly fault: 'rolling-upgrade'; readonly image?: string }
  /** The leading engine is asked to step down (SIGTERM to its role). */
  | { readonly fault: 'engine-demotion' };

export type FaultName = FaultSpec['fault'];
export type SpecOf<Name extends FaultName> = Extract<FaultSpec, { readonly fault: Name }>;
