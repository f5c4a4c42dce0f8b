// The agent's life: it joins the cluster, follows its volumes, and makes disk
// and NFS server what etcd says.

import type { Clock } from '../../base/clock.ts';
import { hasCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { nameIn, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { Kv, WatchEvent } from '../../kv/kv.ts';
import { createView } from '../../kv/view.ts';
import type { Exporter } from '../../nfs/exporter.ts';
import type { Storage } from '../../storage/storage.ts';
import { createBell } from '../bell.ts';
import { createBinding } from './binding.ts';
import { createMembership } from './membership.ts';
import { ownerOf } from './orphans.ts';
import { createWorkQueue } from './queue.ts';
import { createReconciler } from './reconcile.ts';
import type { NodeFacts } from './spec.ts';
import { attend } from './work.ts';

/** Volumes worked on at a time. */
const CONCURRENCY = 8;

export interface AgentOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly storage: Storage;
  readonly exporter: Exporter;
  readonly facts: NodeFacts;
  readonly leaseTtlSeconds: number;
  readonly reconcileIntervalMs: number;
  readonly trashRetentionMs: number;
}

export interface Agent {
  /** Works until the signal fires, ends what is under way, gives up the lease and resolves. */
  run(signal: AbortSignal): Promise<void>;
}

export function createAgent(options: AgentOptions): Agent {
  const { clock, log, facts } = options;
  const { node } = facts;

  const run = async (signal: AbortSignal): Promise<void> => {
    const bell = createBell({ clock, signal });
    const binding = createBinding(options);
    const queue = createWorkQueue({
      concurrency: CONCURRENCY,
      work: (id, job) =>
        attend({ ...options, binding, node }, id, job).catch((error: unknown) => onFailure(id, error)),
    });
    const onFailure = (volume: string, error: unknown): void => {
      // etcd's absence is told elsewhere, and when it is back everything is compared anew.
      if (hasCode(error, 'unavailable', 'timeout', 'aborted')) return;
      log.error('volume.work-failed', { volume, cause: error });
    };
    const membership = createMembership({ ...options, binding });
    const reconciler = createReconciler({
      ...options,
      binding,
      queue,
      node,
      intervalMs: options.reconcileIntervalMs,
    });

    /** Volumes that were this node's when last seen. */
    const own = new Set<string>();
    const onEvents = (events: readonly WatchEvent[]): void => {
      for (const event of events) {
        const id = nameIn(VOLUMES_PREFIX, event.kind === 'put' ? event.kv.key : event.key);
        const isOwn = event.kind === 'put' && ownerOf(event.kv, node) === 'self';
        if (isOwn) queue.add(id);
        // Taken away: whether it is still exported here must not wait for the interval.
        if (!isOwn && own.delete(id)) bell.ring();
        if (isOwn) own.add(id);
      }
    };
    const following = createView({
      ...options,
      prefix: VOLUMES_PREFIX,
      signal,
      onChange: (_view, change) => {
        if (change.kind === 'events' && change.events.length > 0) onEvents(change.events);
        else bell.ring();
      },
    });
    const reconciling = async (): Promise<void> => {
      while (!signal.aborted) {
        try {
          await reconciler.pass();
          await membership.publishSpace();
        } catch (error) {
          if (!hasCode(error, 'unavailable', 'timeout', 'aborted'))
            log.error('agent.reconcile-failed', { cause: error });
        }
        await bell.heard(options.reconcileIntervalMs);
      }
    };
    try {
      await Promise.all([membership.run(signal), following.done, reconciling()]);
    } finally {
      queue.hold();
      await queue.idle();
    }
  };

  return { run };
}
