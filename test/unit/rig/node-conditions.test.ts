import { describe, expect, it } from '@jest/globals';
import { gibToBytes } from '../../../src/base/units.ts';
import { nodeKey, volumeKey } from '../../../src/kv/keys.ts';
import type { Volume } from '../../../src/model/volume.ts';
import type { Deployment } from '../../../src/rig/deployment.ts';
import type { Inventory } from '../../../src/rig/history.ts';
import { observeBalance, observeConverged, observeEmpty } from '../../../src/rig/node-conditions.ts';
import type { RecordedKey, Recorder } from '../../../src/rig/recorder.ts';
import type { View } from '../../../src/rig/scene.ts';
import { actualOf, ID, nodeOf, readyVolume } from '../model/volumes.ts';

const EMPTY: Inventory = { volumes: [], trash: [], exports: [], copies: [] };
const onItsWay: Partial<Volume['control']> = {
  task: { kind: 'move', cause: 'asked', node: 'b', copy: null },
};

/** etcd with nodes a and b of 10 GiB and these volumes; every disk as in the inventory. */
function viewOf(volumes: readonly Volume[], inventory: Partial<Inventory> = {}): View {
  const stored = [
    ...['a', 'b'].map((name) => [nodeKey(name), nodeOf(name)] as const),
    ...volumes.map((volume) => [volumeKey(volume.id), volume] as const),
  ];
  const keys = new Map<string, RecordedKey>(
    stored.map(([key, value]) => [key, { value: JSON.stringify(value), atMs: 0 }]),
  );
  return {
    deployment: { inventory: async () => ({ ...EMPTY, ...inventory }) } as unknown as Deployment,
    recorder: { keys: () => keys, connected: () => true } as unknown as Recorder,
    names: {} as View['names'],
    followers: new Map(),
  };
}

const subvolume = { id: ID, quotaBytes: gibToBytes(1), usedBytes: 0, files: {} };

it('has converged with a volume that cannot go on only if that is allowed, and its reason is on record', async () => {
  const allowed = { mayBeStuck: true };
  const found = { volumes: [subvolume] };
  const stuck = viewOf([readyVolume({ state: 'pending' }, { error: 'no room' })], found);
  expect((await observeConverged(stuck, 'a')).seen).toMatch(/is pending/);
  expect((await observeConverged(stuck, 'a', allowed)).holds).toBe(true);
  const silent = viewOf([readyVolume({ state: 'pending' })], found);
  expect((await observeConverged(silent, 'a', allowed)).seen).toMatch(/is pending/);
});

describe('a node', () => {
  it('is empty when neither etcd, nor its disk, nor its NFS server has anything there', async () => {
    expect((await observeEmpty(viewOf([readyVolume()]), 'b')).holds).toBe(true);
    expect(await observeEmpty(viewOf([readyVolume()]), 'a')).toMatchObject({ holds: false });
  });

  it('is not empty while something is on its way there', async () => {
    const seen = await observeEmpty(viewOf([readyVolume({ state: 'moving' }, onItsWay)]), 'b');
    expect(seen).toEqual({ holds: false, seen: `etcd has ${ID} there, moving` });
  });

  it.each<[string, Partial<Inventory>]>([
    ['a subvolume', { volumes: [subvolume] }],
    ['an export', { exports: [{ id: ID, clients: [] }] }],
    ['a copy', { copies: [`${ID}.0123456789abcdef-1`] }],
  ])('is not empty with %s', async (_what, inventory) => {
    expect((await observeEmpty(viewOf([], inventory), 'b')).holds).toBe(false);
  });

  it('has converged with just what etcd says, and nothing left of a move', async () => {
    const inventory = { volumes: [subvolume] };
    expect((await observeConverged(viewOf([readyVolume()], inventory), 'a')).holds).toBe(true);
    expect((await observeConverged(viewOf([readyVolume()], inventory), 'b')).seen).toContain('orphan');
    const left = { ...inventory, copies: [`${ID}.0123456789abcdef-1`] };
    expect((await observeConverged(viewOf([readyVolume()], left), 'a')).seen).toContain('left of a move');
  });
});

describe('the balance', () => {
  const sized = (id: string, node: string, sizeGib: number): Volume => {
    const reservation = { reserved_size: sizeGib, constraints: {} };
    return readyVolume({ id, node, requested: reservation, actual: actualOf(reservation) });
  };

  it('holds when no node is much fuller than another', () => {
    const volumes = [sized('v000000000000000a', 'a', 5), sized('v000000000000000b', 'b', 3)];
    expect(observeBalance(viewOf(volumes), 20)).toEqual({ holds: true, seen: 'a 50 %, b 30 %' });
    expect(observeBalance(viewOf(volumes), 19).holds).toBe(false);
  });

  it('does not hold while a volume is on the move, which counts on both nodes', () => {
    const moving = readyVolume({ state: 'moving' }, onItsWay);
    expect(observeBalance(viewOf([moving]), 100)).toEqual({
      holds: false,
      seen: `a 10 %, b 10 %, ${ID} is moving`,
    });
  });
});
