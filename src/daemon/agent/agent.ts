// The agent's life: it joins the cluster, follows its volumes, and makes disk
// and NFS server what etcd says.

import type { Clock } from '../../base/clock.ts';
import { hasCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { backoffMs } from '../../base/retry.ts';
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
/** How soon what failed for want of etcd is tried again, whatever the interval: at first, and at last. */
const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 2000;

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
  const { clock, facts } = options;
  const { node } = facts;

  const run = async (signal: AbortSignal): Promise<void> => {
    const bell = createBell({ clock, signal });
    const retry = createRetry({ ...options, ring: bell.ring });
    const binding = createBinding({ ...options, node });
    const queue = createWorkQueue({
      concurrency: CONCURRENCY,
      work: (id, job) =>
        attend({ ...options, binding, node, onLost: bell.ring }, id, job).then(retry.succeeded, (error) =>
          retry.failed(error, 'volume.work-failed', { volume: id }),
        ),
    });
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
          retry.succeeded();
        } catch (error) {
          retry.failed(error, 'agent.reconcile-failed', {});
        }
        await bell.heard(options.reconcileIntervalMs);
      }
    };
    try {
      await Promise.all([membership.run(signal), following.done, reconciling()]);
    } finally {
      queue.hold();
      await queue.idle();
      retry.cancel();
    }
  };

  return { run };
}

/**
 * Rings for another comparison, with growing patience, after something that
 * failed because etcd did not answer; anything else is logged, and waits for
 * the interval. etcd's absence itself is told elsewhere.
 */
function createRetry(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly ring: () => void;
}) {
  const { clock, random, log, ring } = options;
  let failures = 0;
  let cancel: (() => void) | undefined;
  return {
    succeeded: (): void => {
      failures = 0;
    },
    failed: (cause: unknown, event: string, fields: Readonly<Record<string, unknown>>): void => {
      if (!hasCode(cause, 'unavailable', 'timeout', 'aborted')) log.error(event, { ...fields, cause });
      if (!hasCode(cause, 'unavailable', 'timeout') || cancel !== undefined) return;
      const delayMs = backoffMs({ random, attempt: failures, baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS });
      failures += 1;
      cancel = clock.after(delayMs, () => {
        cancel = undefined;
        ring();
      });
    },
    cancel: (): void => cancel?.(),
  };
}
