// Nodes whose agents are played: what the engine grants they carry out at once, on no disk at all, unless a
// test holds them up. Everything that was ever written about volumes is kept.

import { createSystemClock } from '../../src/base/clock.ts';
import { createSystemRandom } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { CLUSTER_VERSION } from '../../src/daemon/cluster.ts';
import { CLUSTER_KEY, nodeKey, specKey, VERSION_KEY, VOLUMES_PREFIX, volumeKey } from '../../src/kv/keys.ts';
import type { KeyValue, Kv, Write } from '../../src/kv/kv.ts';
import { createView } from '../../src/kv/view.ts';
import type { Node } from '../../src/model/node.ts';
import type { Volume } from '../../src/model/volume.ts';
import { worked } from '../unit/daemon/engine/loop.ts';
import { specOf } from '../unit/daemon/engine/support.ts';
import { nodeOf } from '../unit/model/volumes.ts';

const clock = createSystemClock();
const random = createSystemRandom();

export interface PlayedCluster extends AsyncDisposable {
  join(name: string, fields?: Partial<Node>): Promise<void>;
  /** As a node's death does, when its lease has run out. */
  leave(name: string): Promise<void>;
  drain(name: string, fields?: Partial<Node>): Promise<void>;
  put(volume: Volume): Promise<void>;
  remove(id: string): Promise<void>;
  volume(id: string): Promise<Volume | undefined>;
  /** The volumes as they were after each write to one of them, oldest first. */
  readonly history: readonly (readonly Volume[])[];
  until(id: string, what: string, holds: (volume: Volume) => boolean): Promise<Volume>;
  gone(id: string): Promise<void>;
  /** While it says true of a volume, its agent does nothing. */
  hold(isHeld: (volume: Volume) => boolean): void;
}

export async function playAgents(kv: Kv): Promise<PlayedCluster> {
  const stop = new AbortController();
  const live = new Set<string>();
  const history: (readonly Volume[])[] = [];
  let isHeld: (volume: Volume) => boolean = () => false;
  const write = (...writes: readonly Write[]) => kv.transact({ compare: [], writes });
  const json = (key: string, value: unknown): Write => ({ kind: 'put', key, value: JSON.stringify(value) });

  const act = async (stored: KeyValue): Promise<void> => {
    const volume = JSON.parse(stored.value) as Volume;
    if (isHeld(volume)) return;
    const next = worked(volume, (node) => node !== null && live.has(node));
    if (next === volume) return;
    await kv.transact({
      compare: [{ key: stored.key, target: 'mod', equals: stored.modRevision }],
      writes: [next === null ? { kind: 'delete', key: stored.key } : json(stored.key, next)],
    });
  };
  const { view, done } = createView({
    kv,
    clock,
    random,
    prefix: VOLUMES_PREFIX,
    signal: stop.signal,
    onChange: async ({ entries }) => {
      history.push([...entries.values()].map(({ value }) => JSON.parse(value) as Volume));
      await Promise.all([...entries.values()].map(act));
    },
  });
  await write(
    { kind: 'put', key: VERSION_KEY, value: CLUSTER_VERSION },
    json(CLUSTER_KEY, { uid: '0'.repeat(32) }),
  );
  const read = async (id: string): Promise<Volume | undefined> => {
    const found = (await kv.get(volumeKey(id))).kv;
    return found === undefined ? undefined : (JSON.parse(found.value) as Volume);
  };
  return {
    join: async (name, fields) => {
      live.add(name);
      const node = nodeOf(name, fields);
      const { capacity, labels } = node;
      await write(json(specKey(name), specOf({ capacity, labels })), json(nodeKey(name), node));
    },
    leave: async (name) => {
      live.delete(name);
      await write({ kind: 'delete', key: nodeKey(name) });
    },
    drain: async (name, fields) => {
      const { capacity, labels } = nodeOf(name, fields);
      await write(json(specKey(name), specOf({ capacity, labels, draining: true })));
    },
    put: async (volume) => void (await write(json(volumeKey(volume.id), volume))),
    remove: async (id) => void (await write({ kind: 'delete', key: volumeKey(id) })),
    volume: read,
    history,
    until: async (id, what, holds) => {
      let last: Volume | undefined;
      return waitFor({
        clock,
        what,
        timeoutMs: 10_000,
        intervalMs: 5,
        probe: async () => {
          last = await read(id);
          return last !== undefined && holds(last) ? last : undefined;
        },
        describe: () => JSON.stringify(last),
      });
    },
    gone: async (id) => {
      await waitFor({
        clock,
        what: `${id} to be gone`,
        timeoutMs: 10_000,
        intervalMs: 5,
        probe: async () => ((await read(id)) === undefined ? true : undefined),
      });
    },
    hold: (held) => {
      isHeld = held;
      void Promise.all([...view.entries.values()].map(act));
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await done;
      await kv.close();
    },
  };
}
