// A leader's notifier on a store and a network in memory, in virtual time, and consumers that answer
// as a test wants them to.

import { RigError } from '../../../../../src/base/errors.ts';
import { createLog, type LogLine } from '../../../../../src/base/log.ts';
import { createSeededRandom } from '../../../../../src/base/random.ts';
import { createNotifier } from '../../../../../src/daemon/engine/notify/notifier.ts';
import type { Leadership } from '../../../../../src/kv/election.ts';
import { LEADER_KEY, nodeKey, ROOT, subscriptionKey, volumeKey } from '../../../../../src/kv/keys.ts';
import type { Kv } from '../../../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../../../src/kv/memory.ts';
import type { CallbackBody, Subscription } from '../../../../../src/model/subscription.ts';
import { createMemoryWorld } from '../../../../../src/network/memory.ts';
import { createManualClock } from '../../../../support/manual-clock.ts';
import { actualOf, ID, nodeOf, readyVolume } from '../../../model/volumes.ts';

export const SECRET = 'a secret of the test'.replaceAll(' ', '-');
export const GIVE_UP_MS = 600_000;

export interface Call {
  readonly body: CallbackBody;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the manual clock. */
  readonly atMs: number;
}

export interface Consumer {
  readonly url: string;
  readonly calls: readonly Call[];
  /** What it answers from now on; null: nothing at all. */
  status: number | null;
  /** How long it takes over an answer. */
  delayMs: number;
}

export interface Term {
  readonly leadership: Leadership;
  /** Ends the term and waits for the notifier's end. */
  end(): Promise<void>;
}

export async function createWorld() {
  const clock = createManualClock();
  const random = createSeededRandom(1);
  const store = createMemoryStore({ clock });
  const kv = store.connect();
  /** Of the whole store: what ends each as a failure that nobody expects. */
  const watches = new Set<AbortController>();
  const breakable: Kv = {
    ...kv,
    watch: async function* (options) {
      if (options.prefix !== ROOT) return yield* kv.watch(options);
      const broken = new AbortController();
      watches.add(broken);
      try {
        yield* kv.watch({ ...options, signal: AbortSignal.any([options.signal, broken.signal]) });
      } catch (error) {
        throw broken.signal.aborted ? new RigError('unsupported', 'the watch was refused') : error;
      } finally {
        watches.delete(broken);
      }
    },
  };
  const world = createMemoryWorld({ clock });
  const lines: LogLine[] = [];
  const log = createLog({ write: (line) => void lines.push(JSON.parse(line)), nowMs: clock.nowMs });
  const put = async (key: string, value: unknown): Promise<number> => {
    const write = { kind: 'put' as const, key, value: JSON.stringify(value) };
    return (await kv.transact({ compare: [], writes: [write] })).revision;
  };
  await put(nodeKey('a'), nodeOf('a'));
  let hosts = 0;

  const consume = async (name: string): Promise<Consumer> => {
    const calls: Call[] = [];
    const listener = await world.connect(name).listen({ host: name, port: 0 }, async (request) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request.body) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      calls.push({ body: JSON.parse(text), text, headers: request.headers, atMs: clock.monotonicMs() });
      if (consumer.delayMs > 0) await clock.sleep(consumer.delayMs);
      if (consumer.status === null) await new Promise(() => {});
      return { status: consumer.status ?? 0, headers: {}, body: '' };
    });
    const url = `http://${name}:${listener.port}/hook?key=hidden`;
    const consumer: Consumer = { url, calls, status: 200, delayMs: 0 };
    return consumer;
  };
  return {
    clock,
    store,
    kv,
    log: lines,
    put,
    consume,
    /** An export event; the revision. */
    exportVolume: (id = ID): Promise<number> => {
      hosts += 1;
      const exports = [
        { host: `10.0.${hosts >> 8}.${hosts % 256}`, access: 'rw' as const, squash: 'none' as const },
      ];
      return put(volumeKey(id), readyVolume({ id, exports, actual: actualOf({ exports }) }));
    },
    subscribe: async (consumer: Consumer, fields: Partial<Subscription> = {}): Promise<string> => {
      const id = fields.id ?? `s${String(Math.floor(clock.monotonicMs()) + 1).padStart(16, '0')}`;
      const subscription: Subscription = {
        id,
        url: consumer.url,
        volumes: null,
        created: new Date(clock.nowMs()).toISOString(),
        delivered: 0,
        dropped: 0,
        failing_since: null,
        last_error: null,
        secret: SECRET,
        ...fields,
      };
      await put(subscriptionKey(id), subscription);
      return id;
    },
    /** Ends the watch of all events, and for good: it isn't begun again. */
    failWatch: (): void => {
      for (const watch of watches) watch.abort();
    },
    read: async (id: string): Promise<Subscription | undefined> => {
      const found = (await kv.get(subscriptionKey(id))).kv;
      return found === undefined ? undefined : JSON.parse(found.value);
    },
    lead: async (instance = 'i'): Promise<Term> => {
      const term = await put(LEADER_KEY, { node: 'a', instance, since: '2026-01-01T00:00:00.000Z' });
      const created = (await kv.get(LEADER_KEY)).kv?.createRevision ?? term;
      const lost = new AbortController();
      const leadership: Leadership = {
        term: created,
        lost: lost.signal,
        isLeader: () => !lost.signal.aborted,
        fence: () => ({ key: LEADER_KEY, target: 'create', equals: created }),
        resign: async () => lost.abort(),
      };
      const network = world.connect('engine');
      const notify = createNotifier({ kv: breakable, clock, random, log, network, giveUpMs: GIVE_UP_MS });
      const done = notify(leadership);
      await clock.advance(1);
      return {
        leadership,
        end: async () => {
          lost.abort();
          await clock.advance(1);
          await done;
        },
      };
    },
    /** The next leader's key is another one. */
    depose: () => kv.transact({ compare: [], writes: [{ kind: 'delete', key: LEADER_KEY }] }),
  };
}
