// Volumes that this node may have handed over, and that etcd says are still here.
//
// From the mark before a cutover to the mark after it, nothing on this disk tells a handover that was never committed
// from one that etcd was restored from a backup of before. In the second case the other node has exported the volume
// since, and may still, though it refuses this etcd (binding.ts). So the disk remembers where the volume was about to
// go (`leaving`), and the volume is neither exported here nor sent anywhere before that node has answered: it has
// compared its marks with an etcd that has the question, and doesn't export the volume. In a restored etcd it can't,
// until people see to it; after a mere crash it does at once. A node that was forgotten has nothing to say.

import { z } from 'zod';
import { RigError } from '../../../base/errors.ts';
import { hex } from '../../../base/random.ts';
import { DOUBTS_PREFIX, doubtKey, nameIn, nodeKey, specKey, volumeKey } from '../../../kv/keys.ts';
import type { KeyValue, ListResult, WatchEvent, Write } from '../../../kv/kv.ts';
import { at, under } from '../../../kv/listing.ts';
import { nodeNameSchema } from '../../../model/names.ts';
import { readable } from '../../../model/parse.ts';
import { ownerOf } from '../orphans.ts';
import { inTurn, readStored } from './context.ts';
import type { MoverOptions } from './types.ts';

const doubtSchema = z.strictObject({
  from: nodeNameSchema,
  to: nodeNameSchema,
  /** 32 hexadecimal digits, new for each question: no backup has the answer to it. */
  question: z.string().regex(/^[0-9a-f]{32}$/),
  isAnswered: z.boolean(),
});

type Doubt = z.infer<typeof doubtSchema>;

export interface Doubts {
  /** Resolves when the node has answered since this process asked; asks it, and rejects with `conflict`, until then. */
  requireAnswer(id: string, to: string): Promise<void>;
  /** The answer has served its purpose. */
  forget(id: string): void;
  /** Answers what other nodes ask, and clears away what this one has asked, beside the caller. */
  look(listed: ListResult): void;
  idle(): Promise<void>;
}

/** Somebody waits for this node to answer, or it for an answer that is there. */
export function isDoubtOf(node: string, event: WatchEvent): boolean {
  if (event.kind === 'delete') return false;
  return doubtsIn([event.kv]).some(
    ({ value: { from, to, isAnswered } }) => node === (isAnswered ? from : to),
  );
}

/** What the volume says meanwhile. */
export function doubtReason({ from, to }: { readonly from: string; readonly to: string }): string {
  return `node ${to} may have it: ${from} exports it again once ${to} has answered, in this etcd, that it does not`;
}

export function createDoubts(options: MoverOptions & { readonly stopped: AbortSignal }): Doubts {
  const { kv, log, random, exporter, binding, queue, node, stopped } = options;
  /** What this process has asked, by volume. */
  const asked = new Map<string, string>();
  const underWay = new Map<string, Promise<void>>();

  const isForgotten = async (name: string): Promise<boolean> => {
    const found = await Promise.all([kv.get(specKey(name)), kv.get(nodeKey(name))]);
    return found.every((each) => each.kv === undefined);
  };

  const requireAnswer = async (id: string, to: string): Promise<void> => {
    const key = doubtKey(id);
    const [{ kv: found }, gone] = await Promise.all([kv.get(key), isForgotten(to)]);
    if (gone) {
      log.warn('move.doubt-dropped', { volume: id, to, reason: `node ${to} was forgotten` });
      return;
    }
    const known = found === undefined ? undefined : doubtsIn([found])[0]?.value;
    const isOurs = known !== undefined && known.question === asked.get(id) && known.to === to;
    if (isOurs && known.isAnswered) return;
    const reason = doubtReason({ from: node, to });
    const waiting = new RigError('conflict', `volume ${id}: ${reason}`);
    if (isOurs) throw waiting;
    const question = hex(random, 32);
    const doubt: Doubt = { from: node, to, question, isAnswered: false };
    asked.set(id, question);
    log.warn('move.in-doubt', { volume: id, to, reason });
    await kv.transact({ compare: [], writes: [{ kind: 'put', key, value: JSON.stringify(doubt) }] });
    throw waiting;
  };

  /** In the volume's turn: a job that begins later reads that the volume isn't this node's. */
  const answer = (id: string, { kv: { key, modRevision }, value: doubt }: Found): Promise<void> =>
    inTurn(queue, { id, signal: stopped }, async () => {
      const owner = (await readStored(options, id))?.volume.node;
      if (owner !== node) await exporter.remove(id);
      const write: Write =
        owner === doubt.from
          ? { kind: 'put', key, value: JSON.stringify({ ...doubt, isAnswered: true }) }
          : { kind: 'delete', key };
      await kv.transact({ compare: [{ key, target: 'mod', equals: modRevision }], writes: [write] });
      log.info('move.doubt-answered', { volume: id, from: doubt.from });
    });

  const clear = async ({ kv: { key, modRevision } }: Found): Promise<void> => {
    await kv.transact({
      compare: [{ key, target: 'mod', equals: modRevision }],
      writes: [{ kind: 'delete', key }],
    });
  };

  return {
    requireAnswer,
    forget: (id) => void asked.delete(id),
    look: ({ kvs }) => {
      // Of volumes that were deleted meanwhile, too.
      for (const id of asked.keys()) if (binding.leaving(id) === undefined) asked.delete(id);
      for (const found of doubtsIn(kvs)) {
        const id = nameIn(DOUBTS_PREFIX, found.kv.key);
        if (underWay.has(id)) continue;
        const { from, to, isAnswered } = found.value;
        const isOver = from === node && binding.leaving(id) === undefined;
        const volume = at(kvs, volumeKey(id));
        // Whoever asked may be gone for good, and has left it behind.
        const isTheirs = volume !== undefined && ownerOf(volume, from) === 'self';
        const isForUs = to === node && !(isAnswered && isTheirs);
        if (!isOver && !isForUs) continue;
        const task = (isForUs ? answer(id, found) : clear(found))
          .catch((cause: unknown) => log.debug('move.doubt-stays', { volume: id, cause }))
          .finally(() => underWay.delete(id));
        underWay.set(id, task);
      }
    },
    idle: async () => {
      await Promise.all(underWay.values());
    },
  };
}

type Found = { readonly kv: KeyValue; readonly value: Doubt };

function doubtsIn(kvs: readonly KeyValue[]): readonly Found[] {
  const found = under(kvs, DOUBTS_PREFIX);
  return readable(doubtSchema, { kvs: found, onMalformed: () => undefined });
}
