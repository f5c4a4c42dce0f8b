// The target's side of a move, up to the handover: it takes copies from the node
// that has the volume, as long as etcd says that it is to have it next.
//
// A call may come late, from an attempt that died long ago. So each is checked
// against a read made now, in the volume's turn, in which alone something is
// done to the volume itself; and what a stream makes is a copy of a name that no
// other attempt uses, which nobody reads unless a handover names it.

import { untilAborted } from '../../../base/abortable.ts';
import { measured } from '../../../base/digest.ts';
import { RigError } from '../../../base/errors.ts';
import type { Bytes } from '../../../network/network.ts';
import type { Copy } from '../../../storage/storage.ts';
import { hasCopy, inTurn, readStored, targetOf } from './context.ts';
import { MISMATCH_MARK } from './copy-names.ts';
import type { MoverOptions } from './types.ts';

export interface Receiver {
  /**
   * Answers with the SHA-256 of the stream once it is a complete copy. `conflict` for what isn't (yet) to come, and
   * for what has come: its sender never sends a name twice, so it is somebody's repetition of an old call.
   */
  receive(
    copy: Copy,
    stream: {
      readonly caller: string;
      readonly base: string | null;
      readonly body: Bytes;
      readonly signal: AbortSignal;
    },
  ): Promise<string>;
  /** For the node that has sent it. `conflict` while it is needed. */
  discard(copy: Copy, caller: string): Promise<void>;
  /** Resolves when nothing is being received. */
  idle(): Promise<void>;
}

export function createReceiver(
  options: MoverOptions & {
    readonly stopped: AbortSignal;
    /** A volume that moved away has come back before its remains were disposed of. */
    readonly onRemains: (id: string) => void;
  },
): Receiver {
  const { log, storage, exporter, binding, failpoints, queue, node, stopped } = options;
  /** The newest stream of each volume; one before it is of an attempt that its sender has given up. */
  const streams = new Map<string, Incoming>();

  /** Neither here nor coming, and what it differs from is here. Answers with the names of the volume's copies. */
  const requireNext = async (
    { id, name }: Copy,
    { base, coming }: { readonly base: string | null; readonly coming: Incoming | undefined },
  ): Promise<readonly string[]> => {
    const here = (await storage.copies()).filter((copy) => copy.id === id).map((copy) => copy.name);
    if (coming?.name === name || here.includes(name)) {
      throw new RigError('conflict', `copy ${name} of volume ${id} has been sent before`);
    }
    if (base !== null && !here.includes(base)) {
      throw new RigError('conflict', `copy ${base} of volume ${id} isn't here to go by`);
    }
    return here;
  };

  /** In the volume's turn. */
  const accept = async (
    copy: Copy,
    { caller, base }: { caller: string; base: string | null },
  ): Promise<void> => {
    const { id } = copy;
    const stored = await readStored(options, id);
    if (stored === undefined || targetOf(stored.volume, caller) !== node) {
      throw new RigError('conflict', `volume ${id} is not on its way from node ${caller} to ${node}`);
    }
    // Before anything is done for its sake: an old call must not even cut the stream that is under way.
    const here = await requireNext(copy, { base, coming: streams.get(id) });
    if ((await storage.find(id)) === undefined) return;
    if (here.includes(MISMATCH_MARK)) {
      // A code of its own: this doesn't pass by itself.
      throw new RigError(
        'unsupported',
        `node ${node} keeps what it had of volume ${id}, which was found to differ, until copy ${MISMATCH_MARK} is deleted there`,
      );
    }
    if (here.length > 0) {
      options.onRemains(id);
      throw new RigError('conflict', `what node ${node} had of volume ${id} is not disposed of yet`);
    }
    // Of an earlier life, and nothing is left to compare it by.
    await exporter.remove(id);
    await binding.witness(stored.modRevision);
    await storage.trash(id);
    log.warn('move.leftover-trashed', { volume: id });
  };

  return {
    receive: async (copy, { caller, base, body, signal }) => {
      const { id } = copy;
      const cut = new AbortController();
      const over = AbortSignal.any([signal, stopped, cut.signal]);
      await inTurn(queue, { id, signal: over }, () => accept(copy, { caller, base }));
      const before = streams.get(id);
      const done = (async (): Promise<string> => {
        // The same one may have been accepted meanwhile, and the one before may be complete by now.
        if (before?.name !== copy.name) before?.cut.abort();
        await before?.done.catch(() => undefined);
        await requireNext(copy, { base, coming: before });
        const given = (): RigError =>
          new RigError('unavailable', 'the stream was given up', { definite: false });
        const { stream, bytes, sha256 } = measured(untilAborted(body, over, given));
        await storage.receive(copy, stream).catch(async (cause: unknown) => {
          // The disposal of an earlier move may have discarded it since it was looked for.
          if (base === null || (await hasCopy(options, { id, name: base }))) throw cause;
          throw new RigError('conflict', `copy ${base} of volume ${id} has gone meanwhile`, { cause });
        });
        log.info('move.received', { volume: id, from: caller, copy: copy.name, bytes: bytes() });
        await failpoints.reach('move/after-receive');
        return sha256();
      })();
      const mine = { name: copy.name, cut, done };
      streams.set(id, mine);
      try {
        return await done;
      } finally {
        if (streams.get(id) === mine) streams.delete(id);
      }
    },
    discard: (copy, caller) =>
      inTurn(queue, { id: copy.id, signal: stopped }, async () => {
        const stored = await readStored(options, copy.id);
        const isSource = stored !== undefined && targetOf(stored.volume, caller) === node;
        const isSettled =
          stored === undefined || (stored.volume.node === node && stored.volume.state !== 'moving');
        const hasRemains = isSource && (await storage.find(copy.id)) !== undefined;
        if ((!isSource && !isSettled) || hasRemains) {
          throw new RigError('conflict', `copy ${copy.name} of volume ${copy.id} is needed on node ${node}`);
        }
        await storage.discard(copy);
      }),
    idle: async () => {
      await Promise.allSettled([...streams.values()].map(({ done }) => done));
    },
  };
}

interface Incoming {
  readonly name: string;
  readonly cut: AbortController;
  readonly done: Promise<unknown>;
}
