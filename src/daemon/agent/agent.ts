// The agent's life: it joins the cluster, follows its volumes, and makes disk
// and NFS server what etcd says. Exports come back after a restart only when
// etcd answers: a record of them on the disk couldn't tell that a volume has
// been moved meanwhile, and two nodes would export it.

import type { Clock } from '../../base/clock.ts';
import { hasCode } from '../../base/errors.ts';
import { type Failpoints, NO_FAILPOINTS } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { DOUBTS_PREFIX, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import { createView, type View } from '../../kv/view.ts';
import type { Network } from '../../network/network.ts';
import type { Exporter } from '../../nfs/exporter.ts';
import type { Storage } from '../../storage/storage.ts';
import { createBell } from '../bell.ts';
import { createPeers } from '../peers.ts';
import { createSecret } from '../secret.ts';
import { createBinding } from './binding.ts';
import { createMembership } from './membership.ts';
import { isDoubtOf } from './move/doubts.ts';
import { createMover } from './move/mover.ts';
import { createEventHandler } from './own-events.ts';
import { createWorkQueue } from './queue.ts';
import { createReconciler } from './reconcile.ts';
import { createRemains } from './remains.ts';
import { createRetry } from './retry.ts';
import { createRewrites } from './rewrites.ts';
import type { NodeFacts } from './spec.ts';
import { tracedLog } from './traced-log.ts';
import { attend } from './work.ts';

/** Volumes worked on at a time. */
const CONCURRENCY = 8;
/**
 * Each export that is looked at costs a process. However many there are, looking takes a fifth of the time at
 * most, and the rest is for the work itself.
 */
const REST_PER_COMPARISON = 4;

export interface AgentOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Default: none is switched on. */
  readonly failpoints?: Failpoints;
  readonly storage: Storage;
  readonly exporter: Exporter;
  readonly network: Network;
  /** Where to listen for other nodes, and for APIs. */
  readonly listen: { readonly host: string; readonly port: number };
  readonly facts: NodeFacts;
  readonly leaseTtlSeconds: number;
  readonly reconcileIntervalMs: number;
  readonly trashRetentionMs: number;
}

export interface Agent {
  /**
   * Works until the signal fires, ends what is under way, gives up the lease and resolves.
   * Rejects with `unsupported` in a cluster of another version.
   */
  run(signal: AbortSignal): Promise<void>;
}

export function createAgent(given: AgentOptions): Agent {
  const run = async (stopping: AbortSignal): Promise<void> => {
    let volumes: View | undefined;
    const options = { ...given, log: tracedLog(given.log, () => volumes) };
    const ended = new AbortController();
    const signal = AbortSignal.any([stopping, ended.signal]);
    const bell = createBell({ clock: options.clock, signal });
    const retry = createRetry({ ...options, ring: bell.ring });
    const parts = createParts(options, { ring: bell.ring, retry });
    const { queue, mover, rewrites, membership, reconciler, remains } = parts;
    const following = createView({
      ...options,
      prefix: VOLUMES_PREFIX,
      signal,
      onChange: createEventHandler(options.facts.node, { queue, ring: bell.ring }),
    });
    volumes = following.view;
    // Whoever is asked something, or gets an answer, doesn't let clients wait for the interval.
    const asking = createView({
      ...options,
      prefix: DOUBTS_PREFIX,
      signal,
      onChange: (_view, change) => {
        const events = change.kind === 'events' ? change.events : [];
        if (events.some((event) => isDoubtOf(options.facts.node, event))) bell.ring();
      },
    });
    const comparing = async (): Promise<void> => {
      while (!signal.aborted) {
        const startedMs = options.clock.monotonicMs();
        const found = remains.compare();
        const before = remains.count();
        try {
          found(await reconciler.pass());
          retry.succeeded();
        } catch (error) {
          // Without etcd nobody is told anything anyway.
          if (!hasCode(error, 'unavailable', 'timeout')) found(null);
          retry.failed(error, 'agent.reconcile-failed', {});
        }
        if (remains.count() !== before) await parts.publish();
        const tookMs = options.clock.monotonicMs() - startedMs;
        await bell.heard(Math.max(options.reconcileIntervalMs, REST_PER_COMPARISON * tookMs));
      }
    };
    // However long a comparison takes, or rests: a disk that fails is told of within the interval.
    const telling = async (): Promise<void> => {
      while (!signal.aborted) {
        await parts.publish();
        await options.clock.sleep(options.reconcileIntervalMs, signal).catch(() => undefined);
      }
    };
    const parallel: Promise<void>[] = [];
    let listener: { close(): Promise<void> } | undefined;
    try {
      listener = await options.network.listen(options.listen, mover.handler);
      parallel.push(membership.run(signal), following.done, asking.done, comparing(), telling());
      await Promise.all(parallel);
    } finally {
      // Of those that end only together one may have failed.
      ended.abort();
      await Promise.allSettled(parallel);
      await listener?.close();
      await Promise.all([mover.close(), rewrites.close()]);
      queue.hold();
      await queue.idle();
      retry.cancel();
    }
  };

  return { run };
}

function createParts(
  options: AgentOptions,
  { ring, retry }: { readonly ring: () => void; readonly retry: ReturnType<typeof createRetry> },
) {
  const { node } = options.facts;
  const failpoints = options.failpoints ?? NO_FAILPOINTS;
  const binding = createBinding({ ...options, node, failpoints });
  const remains = createRemains();
  const membership = createMembership({ ...options, binding, remains });
  const publish = async (): Promise<void> => {
    try {
      await membership.publish();
    } catch (error) {
      retry.failed(error, 'agent.not-published', {});
    }
  };
  const onDiskFailure = (): void => void publish();
  const queue = createWorkQueue({
    concurrency: CONCURRENCY,
    work: async (id, job) => {
      try {
        await attend(work, id, job);
        retry.succeeded();
      } catch (error) {
        retry.failed(error, 'volume.work-failed', { volume: id });
        if (hasCode(error, 'io')) onDiskFailure();
      }
    },
  });
  const secret = createSecret(options);
  const shared = { ...options, failpoints, binding, queue, node, intervalMs: options.reconcileIntervalMs };
  const rewrites = createRewrites({ ...shared, onEnd: (id) => queue.add(id) });
  const peers = createPeers({ ...options, secret, node });
  const { announceLeaving } = membership;
  const onDisposed = (id: string): void => {
    remains.gone(id);
    void publish();
  };
  const mover = createMover({ ...shared, secret, peers, announceLeaving, onDisposed });
  const work = { ...shared, mover, rewrites, onLost: ring, onDiskFailure };
  const reconciler = createReconciler({ ...shared, mover, rewrites });
  return { queue, mover, rewrites, membership, reconciler, remains, publish };
}
