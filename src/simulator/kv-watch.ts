// A member's side of a watch.

import { RigError } from '../base/errors.ts';
import type { Exchange, Wires } from '../hardware/wires.ts';
import type { WatchBatch, WatchOptions } from '../kv/kv.ts';
import type { SimulatedEtcd } from './etcd.ts';
import type { Inbox } from './inbox.ts';
import type { Process } from './process.ts';

/** Of a usual call, its answer, or an event; what takes longer because it is long doesn't matter here. */
export const MESSAGE_BYTES = 500;

export interface WatchingClient {
  readonly process: Process;
  readonly host: string | undefined;
  readonly etcd: SimulatedEtcd;
  readonly wires: Wires;
}

/** Sends what there is, in order, until nobody listens any more. */
export async function serveWatch(
  { etcd, wires, process, host }: WatchingClient,
  stream: {
    readonly member: string;
    readonly inbox: Pick<Inbox<WatchBatch>, 'push' | 'end'>;
    readonly wanted: WatchOptions;
  },
): Promise<void> {
  const { member, inbox, wanted } = stream;
  const state: Exchange = {
    get over() {
      return wanted.signal.aborted;
    },
  };
  const isWanted = (): boolean => !state.over;
  const fail = (error: unknown): void =>
    process.enter(() => inbox.end(RigError.from(error, { code: 'unavailable', definite: false })));
  const forget = etcd.members
    .get(member)
    ?.process?.onEnd(() => fail(new RigError('unavailable', `${member} ended`)));
  try {
    await wires.carry({ from: host ?? '', to: member, bytes: MESSAGE_BYTES }, state);
    const source = await etcd.ask(member, { write: false, isWanted, effect: async (kv) => kv.watch(wanted) });
    for await (const batch of source) {
      // A member without a leader tells of nothing new.
      if (!etcd.serves(member))
        await etcd.ask(member, { write: false, isWanted, effect: async () => undefined });
      const bytes = MESSAGE_BYTES * Math.max(1, batch.events.length);
      // Whoever only observes, beside the cluster, sees at once what there is: nothing waits for it on the way.
      if (host !== undefined) await wires.carry({ from: member, to: host, bytes, opener: host }, state);
      process.enter(() => inbox.push(batch));
    }
  } catch (error) {
    if (!wanted.signal.aborted) fail(error);
  } finally {
    forget?.();
  }
}
