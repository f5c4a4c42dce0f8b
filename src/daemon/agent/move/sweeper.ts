// Clears away the copies that no move needs any more (stale.ts).

import { mapConcurrently } from '../../../base/concurrent.ts';
import { NODES_PREFIX, nameIn, SPECS_PREFIX, VOLUMES_PREFIX, volumeKey } from '../../../kv/keys.ts';
import type { ListResult } from '../../../kv/kv.ts';
import { inTurn } from './context.ts';
import { judgeCopies, needFor, type StaleCopy } from './stale.ts';
import type { MoverOptions, Swept } from './types.ts';

const CONCURRENCY = 4;

export interface Sweeper {
  /** What is to be discarded goes afterwards. */
  look(listed: ListResult, onDisk: readonly string[]): Promise<Swept>;
  idle(): Promise<void>;
}

export function createSweeper(options: MoverOptions & { readonly signal: AbortSignal }): Sweeper {
  const { clock, log, storage, binding, node, intervalMs, signal } = options;
  let suspects: ReadonlyMap<string, number> = new Map();
  let cleaning: Promise<void> | undefined;

  const discard = async ({ copy, need }: StaleCopy, nodes: readonly string[]): Promise<void> => {
    if (need === 'perhaps' && (await isElsewhere(options, copy.id, nodes))) return;
    await inTurn(options.queue, { id: copy.id, signal }, async () => {
      const [{ kv }, isOurCluster] = await Promise.all([
        options.kv.get(volumeKey(copy.id)),
        options.binding.confirm(),
      ]);
      const isOnDisk = (await storage.find(copy.id)) !== undefined;
      if (!isOurCluster || needFor(kv, { self: node, isOnDisk }) !== need) return;
      await storage.discard(copy);
      log.info('move.copy-discarded', { volume: copy.id, copy: copy.name });
    });
  };

  const clean = async (due: readonly StaleCopy[], nodes: readonly string[]): Promise<void> => {
    try {
      await mapConcurrently(due, { concurrency: CONCURRENCY, each: (stale) => discard(stale, nodes) });
    } catch (cause) {
      if (!signal.aborted) log.warn('move.not-tidied', { cause });
    }
  };

  return {
    look: async (listed, onDisk) => {
      const before = suspects;
      // Whatever goes wrong from here on, the two listings are not consecutive any more.
      suspects = new Map();
      const copies = await storage.copies();
      const verdict = judgeCopies({
        self: node,
        kvs: listed.kvs,
        copies,
        onDisk,
        suspects: before,
        intervalMs,
        nowMs: clock.monotonicMs(),
      });
      suspects = verdict.suspects;
      // At once, however long their disposal has to wait for its turn.
      if (verdict.moved.size > 0) await binding.witness(newestOf(listed, verdict.moved));
      if (verdict.due.length > 0 && cleaning === undefined) {
        cleaning = clean(verdict.due, nodesIn(listed, node)).finally(() => {
          cleaning = undefined;
        });
      }
      return { moved: verdict.moved, copied: copies.map(({ id }) => id) };
    },
    idle: async () => {
      await cleaning;
    },
  };
}

/** Revision of the last change of any of the volumes. */
function newestOf({ kvs }: ListResult, ids: ReadonlySet<string>): number {
  const revisions = kvs
    .filter(({ key }) => key.startsWith(VOLUMES_PREFIX) && ids.has(nameIn(VOLUMES_PREFIX, key)))
    .map(({ modRevision }) => modRevision);
  return Math.max(0, ...revisions);
}

/** Every node that there is, alive or not, but this one. */
function nodesIn({ kvs }: ListResult, self: string): readonly string[] {
  const names = kvs.flatMap(({ key }) =>
    [SPECS_PREFIX, NODES_PREFIX]
      .filter((prefix) => key.startsWith(prefix))
      .map((prefix) => nameIn(prefix, key)),
  );
  return [...new Set(names)].filter((name) => name !== self);
}

/** Whether another node has, or may have, what the volume was before it moved. */
async function isElsewhere({ peers }: MoverOptions, id: string, nodes: readonly string[]): Promise<boolean> {
  for (const node of nodes) {
    // A node that can't be asked may have it.
    const usage = await peers.usage(node, id).catch(() => 'unknown' as const);
    if (usage !== undefined) return true;
  }
  return false;
}
