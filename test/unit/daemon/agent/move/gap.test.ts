// What must wait while nobody exports a volume.

import { afterEach, describe, expect, it } from '@jest/globals';
import type { Failpoint } from '../../../../../src/base/failpoints.ts';
import { diskKey } from '../../../../../src/kv/keys.ts';
import { moveCancelled } from '../../../../../src/model/changes.ts';
import { begin, isAt, scene, settled } from './story.ts';
import type { ScenePlace } from './support.ts';

/** Whatever happened, no two nodes ever exported the volume at a time. */
afterEach(() => expect(scene.violations).toEqual([]));

/** Holds the process up at the failpoint, the first time, until it is released. */
function hold(place: ScenePlace, failpoint: Failpoint): { isReached: () => boolean; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let reached = false;
  place.hooks.failpoint = async (name) => {
    if (name !== failpoint || reached) return;
    reached = true;
    await promise;
  };
  return { isReached: () => reached, release: () => resolve() };
}

describe('a volume that was handed over', () => {
  it('is compared only when it is in use again: reading all of it takes the disks', async () => {
    const { place, move } = await begin();
    const held = hold(place('b'), 'agent/before-export');
    let digests = 0;
    for (const name of ['a', 'b']) {
      place(name).kill();
      place(name).hooks.storage = (storage) => ({
        ...storage,
        digest: (copy, signal) => {
          digests += 1;
          return storage.digest(copy, signal);
        },
      });
      await place(name).start();
    }
    await move('b');
    await scene.until('the export to be next', held.isReached);
    for (let passes = 0; passes < 4; passes += 1) {
      await place('a').pass();
      await scene.clock.advance(2000);
    }
    expect(digests).toBe(0);
    held.release();
    await scene.until('the volume on b', isAt('b'));
    await settled('b');
    expect(digests).toBe(2);
  });
});

describe('the mark that comes before a handover', () => {
  it('is made while clients still have the volume, and is no harm to a move that is called off', async () => {
    const { place, kv, move } = await begin();
    const held = hold(place('a'), 'move/before-handover');
    const reached: [Failpoint, boolean][] = [];
    const { failpoint } = place('a').hooks;
    place('a').hooks.failpoint = async (name) => {
      reached.push([name, place('a').isExporting()]);
      await failpoint?.(name);
    };
    const { mark: before = 0 } = place('a').disk.binding ?? {};
    await move('b');
    await scene.until('the handover to be next', held.isReached);
    const cutover = reached.findIndex(([name]) => name === 'move/after-cutover');
    expect(reached.slice(cutover - 2, cutover + 1)).toEqual([
      ['agent/before-witness', true],
      ['agent/after-witness', true],
      ['move/after-cutover', false],
    ]);
    const { mark = 0, disk } = place('a').disk.binding ?? {};
    expect(mark).toBeGreaterThan(before);
    expect(JSON.parse((await kv.get(diskKey('a'))).kv?.value ?? '')).toEqual({ disk, mark });

    const volume = await scene.read();
    if (volume === undefined) throw new Error('there is no volume');
    const author = { writer: { role: 'engine', node: 'a', term: 1 }, nowMs: scene.clock.nowMs() } as const;
    await scene.write(moveCancelled(volume, 'called off', author));
    held.release();
    await scene.until('the old node to export it again', () => place('a').isExporting());
    place('a').kill();
    await place('a').start();
    await move('b');
    await settled('b');
  });
});
