// What the mover is given and what it offers (mover.ts).

import type { Clock } from '../../../base/clock.ts';
import type { Failpoints } from '../../../base/failpoints.ts';
import type { Log } from '../../../base/log.ts';
import type { Random } from '../../../base/random.ts';
import type { Kv, ListResult } from '../../../kv/kv.ts';
import type { Volume } from '../../../model/volume.ts';
import type { Handler } from '../../../network/network.ts';
import type { Exporter } from '../../../nfs/exporter.ts';
import type { Storage } from '../../../storage/storage.ts';
import type { Peers } from '../../peers.ts';
import type { Secret } from '../../secret.ts';
import type { Binding } from '../binding.ts';
import type { WorkQueue } from '../queue.ts';

export interface MoverOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly failpoints: Failpoints;
  readonly storage: Storage;
  readonly exporter: Exporter;
  readonly binding: Pick<Binding, 'confirm' | 'witness' | 'leaving' | 'leave' | 'left' | 'stay'>;
  readonly peers: Peers;
  readonly secret: Secret;
  /** This node. */
  readonly node: string;
  /** Between two comparisons: what was found stale by one may go at the next. */
  readonly intervalMs: number;
  readonly queue: Pick<WorkQueue, 'add' | 'exclusively'>;
  /** Resolves when whoever asks is told that something of the volume remains here (registration.ts): before a handover. */
  readonly announceLeaving: (id: string) => Promise<void>;
  /** Nothing of a volume that has moved away is left here. */
  readonly onDisposed: (id: string) => void;
}

/** What etcd said at a linearizable read. */
export interface StoredVolume {
  readonly volume: Volume;
  readonly modRevision: number;
}

export interface Swept {
  /** The ids whose subvolumes are the mover's business: no orphans. */
  readonly moved: ReadonlySet<string>;
  /** The ids that had copies here. */
  readonly copied: readonly string[];
}

export interface Mover {
  /**
   * Tells what a fresh read of one of this node's volumes found. One that is on its way from here is sent from now
   * on, in the background; a transfer whose move was called off ends. Returns at once.
   */
  follow(volume: Volume): void;
  /**
   * To be called before a volume is exported, in its turn. True: export it. False: etcd has changed (or was written
   * just now): begin again from a fresh read. Rejects as the store does, and with `conflict` while another node may
   * have it (doubts.ts); it must not be exported then.
   */
  claim(stored: StoredVolume): Promise<boolean>;
  /**
   * After each comparison with a listing of everything: discards copies that no move needs any more, and sees to
   * what finished moves have left here. `onDisk`: the subvolumes as they were listed before.
   */
  sweep(listed: ListResult, onDisk: readonly string[]): Promise<Swept>;
  /** What other nodes and APIs call (peers.ts). */
  readonly handler: Handler;
  /** Gives up what is under way; resolves when nothing runs. Call it before the queue is held for good. */
  close(): Promise<void>;
}
