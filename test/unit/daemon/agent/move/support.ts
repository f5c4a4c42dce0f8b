// Nodes that move volumes among each other, on a clock of the test's own: the
// agent's jobs, its mover and its binding, with a store, disks and a network in memory. An incarnation that dies loses its ports: no call of it answers, or
// does anything, any more.

import type { Failpoint, Failpoints } from '../../../../../src/base/failpoints.ts';
import { createLog, type Log, type LogLine } from '../../../../../src/base/log.ts';
import { createSeededRandom } from '../../../../../src/base/random.ts';
import { gibToBytes } from '../../../../../src/base/units.ts';
import { type Binding, createBinding } from '../../../../../src/daemon/agent/binding.ts';
import { createMover } from '../../../../../src/daemon/agent/move/mover.ts';
import type { Mover } from '../../../../../src/daemon/agent/move/types.ts';
import { createWorkQueue, type WorkQueue } from '../../../../../src/daemon/agent/queue.ts';
import { createRewrites } from '../../../../../src/daemon/agent/rewrites.ts';
import { attend } from '../../../../../src/daemon/agent/work.ts';
import { joinCluster } from '../../../../../src/daemon/cluster.ts';
import { createPeers, type Peers } from '../../../../../src/daemon/peers.ts';
import { createSecret } from '../../../../../src/daemon/secret.ts';
import { nodeKey, specKey, volumeKey } from '../../../../../src/kv/keys.ts';
import type { Kv, ListResult } from '../../../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../../../src/kv/memory.ts';
import { type Author, moveGranted } from '../../../../../src/model/changes.ts';
import type { Volume } from '../../../../../src/model/volume.ts';
import { createMemoryWorld, type MemoryNetwork } from '../../../../../src/network/memory.ts';
import { createMemoryExporter } from '../../../../../src/nfs/memory.ts';
import { createMemoryDisk, createMemoryStorage } from '../../../../../src/storage/memory.ts';
import type { Storage } from '../../../../../src/storage/storage.ts';
import { createManualClock } from '../../../../support/manual-clock.ts';
import { actualOf, ID, nodeOf, readyVolume } from '../../../model/volumes.ts';

export const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const PORT = 7000;
const INTERVAL_MS = 1000;
const TTL_SECONDS = 10;
const STEP_MS = 500;
const LONGEST_MS = 120_000;

export type Scene = Awaited<ReturnType<typeof createScene>>;
export type ScenePlace = ReturnType<Scene['place']>;

/** What a test puts between the mover and its ports. */
export interface Hooks {
  kv?: (kv: Kv) => Kv;
  storage?: (storage: Storage) => Storage;
  peers?: (peers: Peers) => Peers;
  failpoint?: (name: Failpoint) => Promise<void>;
}

export async function createScene(names: readonly string[]) {
  const clock = createManualClock();
  const store = createMemoryStore({ clock });
  const kv = store.connect();
  const world = createMemoryWorld({ clock });
  const random = createSeededRandom(5);
  await joinCluster({ kv, random });
  /** At any time at most one node may export a volume; whoever breaks this is noted. */
  const violations: string[] = [];
  const exporting = (): string[] =>
    [...places].filter((place) => place.isExporting()).map(({ name }) => name);

  const createPlace = (name: string) => {
    const disk = createMemoryDisk({ totalBytes: 64 * 1024 ** 3 });
    const exporter = createMemoryExporter({ hasVolume: (id) => disk.subvolumes.has(id) });
    const lines: LogLine[] = [];
    const log = createLog({
      write: (line) => void lines.push(JSON.parse(line) as LogLine),
      nowMs: clock.nowMs,
      level: 'debug',
    });
    const hooks: Hooks = {};
    let life:
      | {
          mover: Mover;
          binding: Binding;
          queue: WorkQueue;
          network: MemoryNetwork;
          died: Promise<void>;
          die: () => void;
        }
      | undefined;

    const start = async (): Promise<void> => {
      const network = world.connect(name);
      const death = { dead: false };
      const end = Promise.withResolvers<void>();
      const die = (): void => {
        death.dead = true;
        end.resolve();
        network.close();
        life = undefined;
      };
      const mortalKv = mortal(hooks.kv?.(store.connect()) ?? store.connect(), death);
      const secret = createSecret({ kv: mortalKv, random });
      const memory = createMemoryStorage({ clock, disk });
      const storage = mortal(hooks.storage?.(memory) ?? memory, death);
      const failpoints: Failpoints = {
        reach: async (point) => {
          await hooks.failpoint?.(point);
          if (death.dead) await new Promise<never>(() => {});
        },
      };
      const watched = mortal(
        {
          ...exporter,
          apply: async (wanted: Parameters<typeof exporter.apply>[0]) => {
            await exporter.apply(wanted);
            const all = exporting();
            if (all.length > 1) violations.push(`${all.join(' and ')} export at ${clock.monotonicMs()} ms`);
          },
        },
        death,
      );
      const peers = createPeers({ kv: mortalKv, network, random, secret, node: name });
      const queue = createWorkQueue({
        concurrency: 4,
        work: (id, job) =>
          attend(work, id, job).catch((cause) =>
            // As in the agent, the next comparison has another go.
            log.debug('work.failed', { cause }),
          ),
      });
      const ports = { kv: mortalKv, clock, random, log, failpoints, storage, exporter: watched, node: name };
      const binding = createBinding(ports);
      const mover: Mover = createMover({
        ...{ ...ports, binding, secret, queue, peers: hooks.peers?.(peers) ?? peers },
        intervalMs: INTERVAL_MS,
        announceLeaving: async () => {},
        onDisposed: () => undefined,
      });
      const rewrites = createRewrites({ ...ports, onEnd: (id) => queue.add(id) });
      const work = {
        ...{ ...ports, binding, mover, rewrites, leaseTtlSeconds: TTL_SECONDS },
        onLost: () => {},
        onDiskFailure: () => {},
      };
      await network.listen({ host: name, port: PORT }, mover.handler);
      life = { mover, binding, queue, network, died: end.promise, die };
      // Which cluster this is must be known before anything is done.
      await checked(life, log);
      queue.release();
    };
    const running = () => {
      if (life === undefined) throw new Error(`node ${name} does not run`);
      return life;
    };
    return {
      ...{ name, disk, exporter, lines, hooks, start },
      isExporting: (): boolean => (exporter.server.exports.get(ID)?.length ?? 0) > 0,
      isRunning: (): boolean => life !== undefined,
      kill: (): void => life?.die(),
      mover: (): Mover => running().mover,
      network: (): MemoryNetwork => running().network,
      events: (): string[] => lines.map(({ event }) => event),
      copies: (): string[] => [...disk.copies.values()].map((copy) => copy.name),
      files: (): Record<string, string> | undefined => {
        const found = disk.subvolumes.get(ID);
        return found === undefined ? undefined : Object.fromEntries(found.files);
      },
      write: (path: string, text: string): void => void disk.subvolumes.get(ID)?.files.set(path, text),
      /** As the agent's comparison does. */
      pass: async (): Promise<void> => {
        if (life === undefined) return;
        const { mover, queue, died } = life;
        const listed = await checked(life, log);
        if (listed === undefined) return;
        queue.add(ID, { look: true });
        const sweep = mover.sweep(listed, [...disk.subvolumes.keys()]);
        const swept = sweep.catch((cause: unknown) => log.debug('sweep.failed', { cause }));
        await Promise.race([swept, died]);
      },
    };
  };
  const places = names.map(createPlace);
  const place = (name: string) => {
    const found = places.find((each) => each.name === name);
    if (found === undefined) throw new Error(`there is no node ${name}`);
    return found;
  };
  const read = async (): Promise<Volume | undefined> => {
    const found = (await kv.get(volumeKey(ID))).kv;
    return found === undefined ? undefined : (JSON.parse(found.value) as Volume);
  };
  const write = async (volume: Volume): Promise<void> => {
    const value = JSON.stringify(volume);
    await kv.transact({ compare: [], writes: [{ kind: 'put', key: volumeKey(ID), value }] });
  };
  for (const each of places) {
    await put(kv, nodeKey(each.name), nodeOf(each.name, { agent: `http://${each.name}:${PORT}` }));
    await put(kv, specKey(each.name), {});
    await each.start();
  }
  return {
    ...{ clock, kv, world, place, read, write, violations, exporting },
    /** A ready volume with its files, exported by the node. */
    create: async (node: string, files: Readonly<Record<string, string>>): Promise<void> => {
      const rules = [RULE];
      await write(readyVolume({ node, exports: rules, actual: actualOf({ exports: rules }) }));
      const { disk, exporter } = place(node);
      const content = {
        usedBytes: 1000,
        files: new Map(Object.entries(files)),
        compression: 'none' as const,
      };
      disk.subvolumes.set(ID, { ...content, quotaBytes: gibToBytes(1) });
      await exporter.apply({ id: ID, rules });
    },
    /** As the engine does. */
    move: async (node: string): Promise<void> => {
      const volume = await read();
      if (volume === undefined) throw new Error('there is no volume');
      const author: Author = { writer: { role: 'engine', node: 'a', term: 1 }, nowMs: clock.nowMs() };
      await write(moveGranted(volume, { node, cause: 'drain' }, author));
      await place(volume.node ?? '').pass();
    },
    /** Lets time pass, with a comparison on each node now and then, until it holds. */
    until: async (
      what: string,
      holds: () => boolean | Promise<boolean>,
      { withinMs = LONGEST_MS } = {},
    ): Promise<void> => {
      for (let ms = 0; ms <= withinMs; ms += STEP_MS) {
        await clock.settle();
        if (await holds()) return;
        await Promise.all(places.map((each) => each.pass()));
        await clock.advance(STEP_MS);
      }
      const seen = places.map((each) => [each.name, each.copies(), each.lines.slice(-6)]);
      throw new Error(`${what} has not come: ${JSON.stringify([await read(), seen], null, 1)}`);
    },
  };
}

/** What etcd lists, if the disk belongs there; undefined also when the process dies meanwhile. */
function checked(
  { binding, died }: { readonly binding: Binding; readonly died: Promise<void> },
  log: Log,
): Promise<ListResult | undefined> {
  const check = binding.check().catch((cause: unknown): undefined => {
    log.debug('binding.failed', { cause });
    return undefined;
  });
  return Promise.race([check, died.then(() => undefined)]);
}

/** The same port, until its process dies: then nothing answers, and nothing that is begun has an effect. */
function mortal<T extends object>(port: T, death: { readonly dead: boolean }): T {
  const never = new Promise<never>(() => {});
  return new Proxy(port, {
    get: (target, name) => {
      const call = Reflect.get(target, name);
      if (typeof call !== 'function') return call;
      if (name === 'send') return (...args: unknown[]) => mortalStream(call.apply(target, args), death);
      return (...args: unknown[]) => {
        if (death.dead) return never;
        const answer = call.apply(target, args);
        if (!(answer instanceof Promise)) return answer;
        return answer.then(
          (value) => (death.dead ? never : value),
          (error) => (death.dead ? never : Promise.reject(error)),
        );
      };
    },
  });
}

async function* mortalStream(stream: AsyncIterable<Uint8Array>, death: { readonly dead: boolean }) {
  for await (const chunk of stream) {
    if (death.dead) await new Promise<never>(() => {});
    yield chunk;
  }
}

async function put(kv: Kv, key: string, value: object): Promise<void> {
  await kv.transact({ compare: [], writes: [{ kind: 'put', key, value: JSON.stringify(value) }] });
}
