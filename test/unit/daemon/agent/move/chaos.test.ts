// Moves while everything goes wrong at random: processes die, links are cut,
// answers are lost or calls come late, moves are called off. A seed decides it
// all. What clients have written is never lost, and never served twice.

import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../../../src/base/errors.ts';
import { below, createSeededRandom, type Random } from '../../../../../src/base/random.ts';
import type { Kv } from '../../../../../src/kv/kv.ts';
import { moveCancelled, settled } from '../../../../../src/model/changes.ts';
import { isOnItsWay } from '../../../../../src/model/volume.ts';
import { createScene, type Scene } from './support.ts';

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);
const NAMES = ['a', 'b', 'c'] as const;
const STEPS = 120;

interface Chaos {
  on: boolean;
  readonly random: Random;
  /** Calls that were said to have failed, and get through later. */
  readonly late: (() => Promise<unknown>)[];
}

const happens = ({ on, random }: Chaos, percent: number): boolean => on && below(random, 100) < percent;

/** Transactions whose answers are lost, that are lost themselves, or that come late. */
function unreliable(kv: Kv, chaos: Chaos): Kv {
  return {
    ...kv,
    transact: async (transaction) => {
      const lost = new RigError('timeout', 'no answer', { definite: false });
      if (happens(chaos, 10)) throw lost;
      if (happens(chaos, 10)) {
        chaos.late.push(() => kv.transact(transaction));
        throw lost;
      }
      const answer = await kv.transact(transaction);
      if (happens(chaos, 10)) throw lost;
      return answer;
    },
  };
}

async function prepare(seed: number): Promise<{ scene: Scene; chaos: Chaos }> {
  const chaos: Chaos = { on: true, random: createSeededRandom(seed), late: [] };
  const scene = await createScene(NAMES);
  for (const name of NAMES) {
    const place = scene.place(name);
    place.hooks.kv = (kv) => unreliable(kv, chaos);
    place.hooks.failpoint = async () => {
      const dies = happens(chaos, 6);
      if (dies) place.kill();
      if (!dies && happens(chaos, 6)) throw new RigError('io', 'on demand', { definite: false });
    };
    // Slow enough for things to happen meanwhile.
    place.hooks.storage = (storage) => ({
      ...storage,
      receive: async (copy, stream) => {
        await scene.clock.sleep(below(chaos.random, 2000));
        await storage.receive(copy, stream);
        await scene.clock.sleep(below(chaos.random, 2000));
      },
    });
    place.kill();
    await place.start();
  }
  await scene.create('a', { first: 'file' });
  return { scene, chaos };
}

/** What an engine may do to the volume. */
async function plan(scene: Scene, { random }: Chaos): Promise<void> {
  const volume = await scene.read();
  if (volume === undefined) return;
  const author = { writer: { role: 'engine', node: 'a', term: 1 } as const, nowMs: scene.clock.nowMs() };
  const others = NAMES.filter((name) => name !== volume.node);
  if (volume.state === 'ready') await scene.move(others[below(random, others.length)] ?? 'b');
  else if (isOnItsWay(volume))
    await scene.write(settled(moveCancelled(volume, 'called off', author), author));
}

async function misbehave(
  scene: Scene,
  chaos: Chaos,
  written: Map<string, string>,
  step: number,
): Promise<void> {
  const { random } = chaos;
  const name = NAMES[below(random, NAMES.length)] ?? 'a';
  const other = NAMES[below(random, NAMES.length)] ?? 'a';
  const place = scene.place(name);
  switch (below(random, 9)) {
    case 0:
      place.kill();
      break;
    case 1:
    case 2:
      if (!place.isRunning()) await place.start();
      break;
    case 3:
      if (name !== other) scene.world.cut(name, other, { silently: below(random, 2) === 0 });
      break;
    case 4:
      for (const each of NAMES) scene.world.heal(name, each);
      break;
    case 5:
      if (below(random, 4) === 0) await plan(scene, chaos);
      break;
    case 6:
      await chaos.late.shift()?.();
      break;
    default: {
      // A client writes where it is let in, and nowhere else.
      const [where] = scene.exporting();
      if (where === undefined) break;
      const text = `at step ${step} on ${where}`;
      scene.place(where).write(`file-${step % 7}`, text);
      written.set(`file-${step % 7}`, text);
    }
  }
}

describe('moves in the midst of failures', () => {
  it.each(SEEDS)('lose nothing (seed %i)', async (seed) => {
    const { scene, chaos } = await prepare(seed);
    const written = new Map([['first', 'file']]);
    for (let step = 0; step < STEPS; step += 1) {
      await misbehave(scene, chaos, written, step);
      const volume = await scene.read();
      if (volume?.state === 'ready') await plan(scene, chaos);
      await Promise.all(NAMES.map((name) => scene.place(name).pass()));
      await scene.clock.advance(below(chaos.random, 1500));
    }
    chaos.on = false;
    for (const left of NAMES) {
      for (const right of NAMES) scene.world.heal(left, right);
      if (!scene.place(left).isRunning()) await scene.place(left).start();
    }
    for (const call of chaos.late) await call();
    await scene.until('the end of the last move', async () => (await scene.read())?.state === 'ready');
    const node = (await scene.read())?.node ?? '';
    await scene.until('the end of all remains', () =>
      NAMES.every((name) => {
        const { files, copies } = scene.place(name);
        return copies().length === 0 && (files() !== undefined) === (name === node);
      }),
    );
    expect(scene.place(node).files()).toEqual(Object.fromEntries(written));
    await scene.until('its export', () => scene.exporting().length === 1);
    expect(scene.exporting()).toEqual([node]);
    expect(scene.violations).toEqual([]);
  });
});
