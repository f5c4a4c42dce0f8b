// What every node's NFS server does, whichever backend it is.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import type { ExportRule } from '../../src/model/export.ts';
import type { Exporter } from '../../src/nfs/exporter.ts';
import { createMemoryExporter, createMemoryNfsServer, killMemoryNfsServer } from '../../src/nfs/memory.ts';
import { createRemoteExporter } from '../../src/nfs/remote.ts';
import { createMemoryDisk } from '../../src/storage/memory.ts';
import { emptyContent } from '../../src/storage/memory-content.ts';
import { startTestNode } from './support/node-container.ts';
import { serveMemory } from './support/remote-backends.ts';

const MIB = 1024 ** 2;
const START_TIMEOUT_MS = 60_000;
// Every call starts processes in a container; a busy machine takes its time.
jest.setTimeout(START_TIMEOUT_MS);

interface Rig extends AsyncDisposable {
  readonly exporter: Exporter;
  makeVolume(id: string): Promise<void>;
  killServer(): Promise<void>;
  /** Starts the server again, or lets its supervisor do so. */
  startServer(): Promise<void>;
}

const backends: readonly { readonly name: string; readonly start: () => Promise<Rig> }[] = [
  {
    name: 'memory',
    start: async () => {
      const server = createMemoryNfsServer();
      const volumes = new Set<string>();
      return {
        exporter: createMemoryExporter({ server, hasVolume: (id) => volumes.has(id) }),
        makeVolume: async (id) => {
          volumes.add(id);
        },
        killServer: async () => killMemoryNfsServer(server),
        startServer: async () => {
          server.up = true;
        },
        [Symbol.asyncDispose]: async () => {},
      };
    },
  },
  {
    name: 'remote',
    start: async () => {
      const disk = createMemoryDisk({ totalBytes: 64 * MIB });
      const server = createMemoryNfsServer();
      const served = await serveMemory(disk, server);
      return {
        exporter: createRemoteExporter(served.open('exporter')),
        makeVolume: async (id) => {
          disk.subvolumes.set(id, { ...emptyContent(), quotaBytes: null });
        },
        killServer: async () => killMemoryNfsServer(server),
        startServer: async () => {
          server.up = true;
        },
        [Symbol.asyncDispose]: served[Symbol.asyncDispose],
      };
    },
  },
  {
    name: 'ganesha',
    start: async () => {
      const node = await startTestNode();
      return {
        exporter: node.exporter,
        makeVolume: (id) => node.storage.create({ id, quotaBytes: 16 * MIB }),
        killServer: async () => {
          await node.run('kill -9 $(pidof ganesha.nfsd)');
        },
        startServer: async () => {},
        [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
      };
    },
  },
];

const rule = (
  host: string,
  access: 'rw' | 'ro' = 'rw',
  squash: ExportRule['squash'] = 'none',
): ExportRule => ({
  host,
  access,
  squash,
});

describe.each(backends)('exporter: $name', ({ start }) => {
  let rig: Rig;
  let exporter: Exporter;
  let made = 0;
  const newVolume = async (): Promise<string> => {
    const id = `v${(++made).toString(16).padStart(16, '0')}`;
    await rig.makeVolume(id);
    return id;
  };
  const rulesOf = async (id: string): Promise<readonly ExportRule[] | undefined> =>
    (await exporter.list()).find((active) => active.id === id)?.rules;
  const untilUp = (): Promise<readonly unknown[]> =>
    waitFor({
      clock: createSystemClock(),
      what: 'the NFS server to answer',
      timeoutMs: 20_000,
      probe: () => exporter.list(),
    });

  beforeAll(async () => {
    rig = await start();
    exporter = rig.exporter;
    await untilUp();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await rig?.[Symbol.asyncDispose]();
  }, START_TIMEOUT_MS);

  it('starts with no exports', async () => {
    expect(await exporter.list()).toEqual([]);
  });

  it.each([
    ['one host', [rule('10.1.2.3')]],
    ['access and squash of every kind', [rule('10.0.0.1', 'ro', 'root'), rule('10.0.0.2', 'rw', 'all')]],
    ['blocks within blocks', [rule('10.0.0.0/8'), rule('10.1.0.0/16', 'ro'), rule('10.1.2.3', 'rw', 'all')]],
    ['everybody', [rule('0.0.0.0/0', 'ro'), rule('::/0', 'rw', 'all')]],
    ['nobody in particular', [rule('0.0.0.0')]],
    ['bits beyond the prefix', [rule('172.17.3.5/16'), rule('fd00::1/8')]],
    ['IPv6, however it is spelled', [rule('FD00:0:0::1'), rule('::1/128'), rule('2001:db8::/64', 'ro')]],
    ['mapped IPv4', [rule('::ffff:10.0.0.7', 'ro', 'all')]],
    ['64 of them', Array.from({ length: 64 }, (_, host) => rule(`10.2.0.${host}`, host % 2 ? 'rw' : 'ro'))],
  ])('exports to %s, and says so', async (_name, rules) => {
    const id = await newVolume();
    await exporter.apply({ id, rules });
    expect(new Set(await rulesOf(id))).toEqual(new Set(rules));
    expect(await exporter.find(id)).toEqual({ id, rules: await rulesOf(id) });
    await exporter.remove(id);
    expect(await exporter.find(id)).toBeUndefined();
    expect(await rulesOf(id)).toBeUndefined();
  });

  it('exports to exactly the last rules, and may be told twice', async () => {
    const id = await newVolume();
    for (const rules of [
      [rule('10.0.0.1')],
      [rule('10.0.0.1', 'ro')],
      [rule('10.0.0.2')],
      [rule('10.0.0.2')],
    ]) {
      await exporter.apply({ id, rules });
      expect(await rulesOf(id)).toEqual(rules);
    }
  });

  it('keeps volumes apart', async () => {
    const ids = [await newVolume(), await newVolume()] as const;
    await exporter.apply({ id: ids[0], rules: [rule('10.0.0.1')] });
    await exporter.apply({ id: ids[1], rules: [rule('10.0.0.2')] });
    await exporter.remove(ids[0]);
    expect(await rulesOf(ids[0])).toBeUndefined();
    expect(await rulesOf(ids[1])).toEqual([rule('10.0.0.2')]);
  });

  it('takes calls at the same time', async () => {
    const ids = await Promise.all([newVolume(), newVolume(), newVolume()]);
    await Promise.all(ids.map((id) => exporter.apply({ id, rules: [rule('10.0.0.1')] })));
    const active = (await exporter.list()).map(({ id }) => id);
    expect(active).toEqual(expect.arrayContaining(ids));
  });

  it('ends an export with an empty list, or by removal, or twice', async () => {
    const id = await newVolume();
    await exporter.apply({ id, rules: [rule('10.0.0.1')] });
    await exporter.apply({ id, rules: [] });
    expect(await rulesOf(id)).toBeUndefined();
    await exporter.remove(id);
    await exporter.apply({ id, rules: [] });
    expect(await rulesOf(id)).toBeUndefined();
  });

  it('can not export what is not on the disk', async () => {
    const id = 'vffffffffffffffff';
    await expect(exporter.apply({ id, rules: [rule('10.0.0.1')] })).rejects.toMatchObject({ code: 'io' });
    expect(await rulesOf(id)).toBeUndefined();
  });

  it.each(['', '..', 'v1', 'v00000000000000ZZ', 'v0000000000000001; }'])(
    'refuses %j, which is no id',
    async (id) => {
      const refusal = { code: 'invalid', definite: true };
      await expect(exporter.apply({ id, rules: [rule('10.0.0.1')] })).rejects.toMatchObject(refusal);
      await expect(exporter.remove(id)).rejects.toMatchObject(refusal);
      await expect(exporter.find(id)).rejects.toMatchObject(refusal);
    },
  );

  it.each(['*', 'example.org', '10.0.0.1; }', '10.0.0.0/33', '@group', ''])(
    'refuses the host %j',
    async (host) => {
      const id = await newVolume();
      await expect(exporter.apply({ id, rules: [rule(host)] })).rejects.toMatchObject({ code: 'invalid' });
      expect(await rulesOf(id)).toBeUndefined();
    },
  );

  it('is unavailable while the server is dead, comes back empty, and exports again', async () => {
    const id = await newVolume();
    const wanted = { id, rules: [rule('10.0.0.1', 'ro')] };
    await exporter.apply(wanted);
    await rig.killServer();
    await expect(exporter.list()).rejects.toMatchObject({ code: 'unavailable' });
    await expect(exporter.find(id)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(exporter.apply(wanted)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(exporter.remove(id)).rejects.toMatchObject({ code: 'unavailable' });
    await rig.startServer();
    expect(await untilUp()).toEqual([]);
    await exporter.apply(wanted);
    expect(await exporter.list()).toEqual([wanted]);
    await rig.killServer();
    await rig.startServer();
    await untilUp();
    await exporter.remove(id);
    expect(await exporter.list()).toEqual([]);
  }, 30_000);
});
