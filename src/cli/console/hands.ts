// What the console does to a cluster: the same as the commands by hand, one order after the other, with the
// same lock and on the same record, so that any of them can undo it when the console is gone.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import { createSerial } from '../../base/serial.ts';
import { describeTarget } from '../../rig/by-hand/targets.ts';
import type { Item, OrderItem } from '../../rig/console/items.ts';
import { describeOrder, type Order } from '../../rig/console/order.ts';
import type { FoundCluster } from '../../rig/docker/clusters.ts';
import { describeFault } from '../../rig/faults/catalogue.ts';
import { sentenceOf } from '../../rig/faults/sentence.ts';
import { act, WAYS } from '../acting.ts';
import { byHand, type Hand } from '../by-hand.ts';
import { type ClusterFlags, chooseCluster } from '../clusters.ts';
import { explain } from '../explain.ts';
import { heal } from '../healing.ts';
import { inject } from '../inject.ts';
import { withVolumeId } from '../injection.ts';
import type { Hub } from './hub.ts';

/** What came of an order. */
interface Outcome {
  readonly state: 'done' | 'doubtful' | 'failed';
  readonly told: string;
  /** What is to be done of itself after so long, if the console is still there. */
  readonly later?: { readonly order: Order; readonly afterMs: number };
}

export interface Taker {
  /** Says by `order` items what becomes of it; never throws. Nothing happens where the same is waiting, or under way. */
  give(order: Order): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** Items of orders that are over; older ones are forgotten. */
const MOST_ORDERS = 12;

/** One after the other. `carryOut` may throw. */
export function createTaker(options: {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly carryOut: (order: Order) => Promise<Outcome>;
  readonly onDone: () => void;
}): Taker {
  const { hub, clock, carryOut, onDone } = options;
  const serial = createSerial();
  const known = new Map<string, OrderItem>();
  /** Waiting, or under way: the same again is what a key does that is held down. */
  const open = new Set<string>();
  /** What calls off what is to be done later. */
  const later = new Set<() => void>();
  let last = 0;
  let idle: Promise<unknown> = Promise.resolve();
  const show = (item: OrderItem): void => {
    known.set(`order:${item.number}`, item);
    while (known.size > MOST_ORDERS) known.delete([...known.keys()][0] ?? '');
    hub.set('orders', Object.fromEntries<Item>(known));
  };
  const give = (order: Order): void => {
    const same = JSON.stringify(order);
    if (open.has(same)) return;
    open.add(same);
    last += 1;
    const item = {
      is: 'order',
      number: last,
      what: describeOrder(order),
      told: '',
      atMs: clock.nowMs(),
    } as const;
    show({ ...item, state: 'waiting' });
    idle = serial(async () => {
      show({ ...item, state: 'under way' });
      const { later: next, ...outcome } = await carryOut(order).catch(
        (error: unknown): Outcome => ({ state: 'failed', told: explain(RigError.from(error)) }),
      );
      open.delete(same);
      show({ ...item, ...outcome });
      if (next !== undefined) giveLater(next);
      onDone();
    });
  };
  const giveLater = ({ order, afterMs }: NonNullable<Outcome['later']>): void => {
    const cancel = clock.after(afterMs, () => {
      later.delete(cancel);
      give(order);
    });
    later.add(cancel);
  };
  return {
    give,
    idle: async () => {
      await idle;
      for (const cancel of later) cancel();
    },
  };
}

const NOTHING_LEFT = { up: [], faults: [] } as const;

/** Tells clusters of one name apart. */
const guardOf = ({ guard = '' }: FoundCluster): string => guard;

/** Orders for a cluster in containers. */
export function handsOn(
  flags: ClusterFlags,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): (order: Order) => Promise<Outcome> {
  const withHand = async <T>(makesMembers: boolean, work: (hand: Hand) => Promise<T>): Promise<T> =>
    byHand(await chooseCluster(flags), { makesMembers, alsoUnfinished: false, signal }, work);
  /** Faults whose work is done by this process, until they are healed. */
  const ongoing = new Map<string, () => Promise<void>>();

  const injectFault = async ({
    spec: wanted,
    forSeconds,
  }: Extract<Order, { do: 'fault' }>): Promise<Outcome> => {
    const cluster = await chooseCluster(flags);
    const spec = await withVolumeId(cluster, wanted);
    const {
      hand,
      heal: end,
      injected,
    } = await withHand(true, async (hand) => ({
      hand,
      ...(await inject(hand, { spec, as: undefined })),
    }));
    if (spec.fault === 'etcd-compaction') ongoing.set(injected.id, keptUp({ hand, end, clock, signal }));
    const told = `injected ${sentenceOf(injected)}${forSeconds === undefined ? '' : `, for ${forSeconds} s`}`;
    const order = { do: 'heal', ids: [injected.id], onlyOf: guardOf(cluster) } as const;
    const later = forSeconds !== undefined && { later: { order, afterMs: forSeconds * 1_000 } };
    return injected.shows
      ? { state: 'done', told: `${told}: ${injected.seen}`, ...later }
      : { state: 'doubtful', told: `${told}, but it was not seen to bite: ${injected.seen}`, ...later };
  };
  const undo = async (ids: readonly string[]): Promise<Outcome> => {
    const ended = new Set(ids.length === 0 ? ongoing.keys() : ids.filter((id) => ongoing.has(id)));
    for (const id of ended) {
      await ongoing.get(id)?.();
      ongoing.delete(id);
    }
    const { up, faults } = await withHand(true, async (hand) => {
      const left = ids.filter((id) => !ended.has(id));
      return ids.length > 0 && left.length === 0 ? NOTHING_LEFT : heal(hand, left);
    });
    const told = [
      ...up.map(
        ({ act: did, target }) => `${did === 'start' ? 'started' : 'thawed'} ${describeTarget(target)}`,
      ),
      ...faults.map(
        ({ hit, isHealed, seen }) =>
          `${isHealed ? 'healed' : 'NOT healed'}: ${describeFault(hit.spec)}: ${seen}`,
      ),
    ].join('; ');
    const state = faults.every(({ isHealed }) => isHealed) ? 'done' : 'failed';
    const healed = [...ended].map((id) => `healed: ${id}`).join('; ');
    return { state, told: [healed, told].filter(Boolean).join('; ') || 'nothing is to be healed' };
  };
  const undoUnlessGone = async ({ ids, onlyOf }: Extract<Order, { do: 'heal' }>): Promise<Outcome> => {
    try {
      if (guardOf(await chooseCluster(flags)) === onlyOf) return await undo(ids);
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
    }
    return { state: 'done', told: 'nothing is left to heal' };
  };
  return async (order) => {
    if (order.do === 'fault') return injectFault(order);
    if (order.do === 'heal') return order.onlyOf === undefined ? undo(order.ids) : undoUnlessGone(order);
    if (order.do === 'power')
      throw new RigError('unsupported', 'members in containers have no power of their own');
    const way = WAYS[order.do];
    const done = await withHand(false, (hand) => act(hand, way, order.to));
    return { state: 'done', told: `${way.done} ${done.map(describeTarget).join(', ')}` };
  };
}

const LOOK_EVERY_MS = 1_000;

/** Answers with what ends it. Meanwhile it is told how far etcd's history goes. */
function keptUp(options: {
  readonly hand: Hand;
  readonly end: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): () => Promise<void> {
  const { hand, end, clock, signal } = options;
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  const look = async (): Promise<void> => {
    while (!ended.aborted) {
      await hand.site.view().catch(() => undefined);
      await clock.sleep(LOOK_EVERY_MS, ended).catch(() => undefined);
    }
  };
  const looking = look();
  return async () => {
    over.abort();
    await looking;
    await end().catch((error: unknown) => {
      // Somebody else may have healed it by now.
      if (!hasCode(error, 'not_found')) throw error;
    });
  };
}
