// What can be done to a volume, from the order to the end, for tests that put a
// crash into it. Volumes begin on node a; node b is there to be moved to.

import type { Failpoint } from '../../src/base/failpoints.ts';
import type { Volume } from '../../src/model/volume.ts';
import type { TestCluster } from './cluster.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const OTHER = { host: '10.0.0.2', access: 'ro', squash: 'none' } as const;
const FILES: Readonly<Record<string, string>> = { 'a.txt': 'first', 'b/c.txt': 'second' };

/** A volume that clients have written to. */
async function written(cluster: TestCluster): Promise<string> {
  const { id, node } = await cluster.create('a', { exports: [RULE] });
  if (node !== 'a') throw new Error(`volume ${id} was made on node ${node}`);
  const subvolume = cluster.node('a').storage.disk.subvolumes.get(id);
  for (const [path, text] of Object.entries(FILES)) subvolume?.files.set(path, text);
  Object.assign(subvolume ?? {}, { usedBytes: 1 << 20 });
  return id;
}

async function ask(
  cluster: TestCluster,
  [method, path, body]: readonly [string, string, object?],
): Promise<Volume> {
  const { status, json } = await cluster.node('a').call(method, path, body);
  if (status !== 202) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
  return json as Volume;
}

/** The operation is begun, with the crash already waiting for it. */
export interface Begun {
  /** Whose files must be which when all is over. */
  readonly contents: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Resolves when the clients' order is carried out. */
  readonly done: () => Promise<unknown>;
}

export interface Operation {
  /** Brings about what it begins from; answers with how to begin. */
  readonly prepare: (cluster: TestCluster) => Promise<() => Promise<Begun>>;
  /** Whose agent (or engine) dies. */
  readonly node: 'a' | 'b';
  /**
   * Where that may happen: every failpoint that it comes to on its way, the
   * marks of binding.ts apart, which any comparison may renew as well. With a
   * number: not at the first time, but then.
   */
  readonly points: readonly (Failpoint | readonly [Failpoint, number])[];
}

const isReady = (volume: Volume | undefined): boolean => volume?.state === 'ready';
const begun = (done: () => Promise<unknown>, ...ids: readonly string[]): Begun => ({
  contents: new Map(ids.map((id) => [id, FILES])),
  done,
});

/** An order by PUT or POST on a volume that is there. */
const onVolume =
  (
    order: (id: string) => readonly [string, string, object?],
    holds: (volume: Volume | undefined) => boolean,
  ) =>
  async (cluster: TestCluster) => {
    const id = await written(cluster);
    return async () => {
      await ask(cluster, order(id));
      return begun(
        () => cluster.until(id, 'the end of it', (volume) => isReady(volume) && holds(volume)),
        id,
      );
    };
  };

const moving = onVolume(
  (id) => ['POST', `/volumes/${id}/move`, { node: 'b' }],
  (volume) => volume?.node === 'b',
);

const creating = async (cluster: TestCluster) => async () => {
  const body = { name: 'data', requested: { reserved_size: 1 }, exports: [RULE] };
  const { id } = await ask(cluster, ['POST', '/volumes', body]);
  return begun(() => cluster.until(id, 'the volume', isReady));
};

const CONCLUDED = ['agent/before-conclude', 'agent/after-conclude'] as const;
/** That it is made, and then that it is exported. */
const CONCLUDED_TWICE = [...CONCLUDED, ['agent/before-conclude', 2], ['agent/after-conclude', 2]] as const;
const EXPORTED = ['agent/before-export', 'agent/after-export'] as const;
const TRASHED = [
  'agent/before-unexport',
  'agent/after-unexport',
  'agent/before-trash',
  'agent/after-trash',
] as const;
const MARKED = ['agent/before-witness', 'agent/after-witness'] as const;

export const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: {
    prepare: creating,
    node: 'a',
    points: [...MARKED, 'agent/before-create', 'agent/after-create', ...EXPORTED, ...CONCLUDED_TWICE],
  },
  clone: {
    prepare: async (cluster) => {
      const parent = await written(cluster);
      await ask(cluster, ['POST', `/volumes/${parent}/compress`, { algorithm: 'zlib' }]);
      await cluster.until(parent, 'its compression', (volume) => volume?.actual?.compression === 'zlib');
      return async () => {
        const body = { name: 'copy', id: parent, requested: { reserved_size: 1 }, exports: [OTHER] };
        const { id } = await ask(cluster, ['POST', '/volumes', body]);
        return begun(() => cluster.until(id, 'the clone', isReady), parent, id);
      };
    },
    node: 'a',
    points: [...MARKED, 'agent/before-clone', 'agent/after-clone', ...EXPORTED, ...CONCLUDED_TWICE],
  },
  resize: {
    prepare: onVolume(
      (id) => ['PUT', `/volumes/${id}`, { requested: { reserved_size: 2 } }],
      (volume) => volume?.actual?.reserved_size === 2,
    ),
    node: 'a',
    points: ['agent/before-set-quota', 'agent/after-set-quota', ...CONCLUDED],
  },
  'change of exports': {
    prepare: onVolume(
      (id) => ['PUT', `/volumes/${id}/exports`, { exports: [OTHER] }],
      (volume) => volume?.actual?.exports[0]?.host === OTHER.host,
    ),
    node: 'a',
    points: [...EXPORTED, ...CONCLUDED],
  },
  compression: {
    prepare: onVolume(
      (id) => ['POST', `/volumes/${id}/compress`, { algorithm: 'zlib' }],
      (volume) => volume?.actual?.compression === 'zlib',
    ),
    node: 'a',
    points: ['agent/before-rewrite', 'agent/after-rewrite', ...CONCLUDED],
  },
  deletion: {
    prepare: async (cluster) => {
      const id = await written(cluster);
      return async () => {
        await ask(cluster, ['DELETE', `/volumes/${id}`]);
        return begun(() => cluster.until(id, 'its key to be gone', (volume) => volume === undefined));
      };
    },
    node: 'a',
    points: [...TRASHED, ...CONCLUDED],
  },
  "end of a subvolume that is nobody's": {
    prepare: async (cluster) => async () => {
      const { storage } = cluster.node('a');
      await storage.create({ id: 'v00000000000000ff', quotaBytes: 1 << 20 });
      return begun(async () => undefined);
    },
    node: 'a',
    points: [...MARKED, ...TRASHED],
  },
  'move, on the old node': {
    prepare: moving,
    node: 'a',
    points: [
      'move/after-freeze',
      ['move/after-freeze', 2],
      'move/after-send',
      ['move/after-send', 2],
      'move/after-cutover',
      'move/before-handover',
      'move/after-handover',
      'move/after-verify',
      ...MARKED,
    ],
  },
  'move, on the new node': {
    prepare: moving,
    node: 'b',
    points: [
      'move/after-receive',
      ['move/after-receive', 2],
      ...MARKED,
      'agent/before-adopt',
      'agent/after-adopt',
      ...EXPORTED,
      ...CONCLUDED,
    ],
  },
  'creation, as the engine sees it': {
    prepare: creating,
    node: 'a',
    points: ['engine/before-transact', 'engine/after-transact'],
  },
};
