// Moves that don't get on: what people are told, what is kept for them, and for how long clients wait.

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { RigError } from '../../../../../src/base/errors.ts';
import { MISMATCH_MARK } from '../../../../../src/daemon/agent/move/copy-names.ts';
import { MOVE_FAILED_PREFIX } from '../../../../../src/model/changes.ts';
import { begin, FILES, isAt, scene, settled } from './story.ts';

afterEach(() => expect(scene.violations).toEqual([]));
/** The clock is the test's own, but the steps are many, and the machine may be busy. */
jest.setTimeout(30_000);

/** Handed over to b, which takes what it has for other than what a keeps, and looks rightly from then on. */
async function movedToDiffer() {
  const story = await begin();
  const { place, move } = story;
  let isBad = true;
  place('b').hooks.storage = (storage) => ({
    ...storage,
    digest: async (copy, signal) => (isBad ? 'f'.repeat(64) : storage.digest(copy, signal)),
  });
  place('b').kill();
  await place('b').start();
  await move('b');
  await scene.until('the mark', () => place('a').copies().includes(MISMATCH_MARK));
  await scene.until('the volume on b', isAt('b'));
  isBad = false;
  return story;
}

const errorNow = async (): Promise<string | null | undefined> => (await scene.read())?.control.error;

describe('a move that fails for good', () => {
  it('is told of on the volume, once, until it gets on', async () => {
    const { place, move } = await begin();
    let isBroken = true;
    let failures = 0;
    place('a').hooks.storage = (storage) => ({
      ...storage,
      freeze: async (copy) => {
        if (!isBroken) return storage.freeze(copy);
        failures += 1;
        throw new RigError('io', `cannot freeze copy ${copy.name}: the disk is broken`);
      },
    });
    place('a').kill();
    await place('a').start();
    await move('b');
    await scene.until('the complaint', async () => (await errorNow()) !== null);
    expect(failures).toBeGreaterThan(1);
    expect(await errorNow()).toBe(`${MOVE_FAILED_PREFIX}to node b: cannot freeze copy …: the disk is broken`);
    const { updated } = (await scene.read())?.control ?? {};
    const before = failures;
    await scene.until('more failures', () => failures > before + 3);
    expect((await scene.read())?.control.updated).toBe(updated);
    expect(scene.exporting()).toEqual(['a']);
    isBroken = false;
    await settled('b');
    expect(await errorNow()).toBeNull();
  });

  it('is told no more once the copies go over, however long they take', async () => {
    const { place, move } = await begin();
    let isBroken = true;
    place('b').hooks.storage = (storage) => ({
      ...storage,
      receive: async (copy, body) => {
        if (isBroken) throw new RigError('io', 'the disk is broken');
        await storage.receive(copy, body);
        // Many rounds, none of them quick.
        await scene.clock.sleep(5000);
      },
    });
    place('b').kill();
    await place('b').start();
    await move('b');
    await scene.until('the complaint', async () => (await errorNow()) !== null);
    expect(await errorNow()).toMatch(MOVE_FAILED_PREFIX);
    isBroken = false;
    await scene.until('the end of it', async () => (await errorNow()) === null);
    expect(await scene.read()).toMatchObject({ state: 'moving', node: 'a' });
    await settled('b');
  });

  it('is not what a node is that is away for a while', async () => {
    const { place, move } = await begin();
    scene.world.cut('a', 'b');
    await move('b');
    const failed = (): number =>
      place('a')
        .events()
        .filter((event) => event === 'move.failed').length;
    await scene.until('some failures', () => failed() > 6);
    expect(await errorNow()).toBeNull();
    scene.world.heal('a', 'b');
    await settled('b');
  });

  it('is what it is when the other node has been out of reach for minutes', async () => {
    const { place, move } = await begin();
    scene.world.cut('a', 'b');
    await move('b');
    const startedMs = scene.clock.monotonicMs();
    await scene.until('the complaint', async () => (await errorNow()) !== null, { withinMs: 400_000 });
    expect(scene.clock.monotonicMs() - startedMs).toBeGreaterThanOrEqual(300_000);
    expect(await errorNow()).toMatch(`${MOVE_FAILED_PREFIX}to node b: `);
    expect(place('a').isExporting()).toBe(true);
    scene.world.heal('a', 'b');
    await settled('b');
  });

  it('is what it is when only the last copy never arrives', async () => {
    const { place, move } = await begin();
    let isLast = false;
    place('a').hooks.failpoint = async (point) => {
      if (point === 'move/after-cutover') isLast = true;
    };
    place('a').hooks.peers = (peers) => ({
      ...peers,
      send: async (node, copy, stream) => {
        const fails = isLast;
        isLast = false;
        if (fails) throw new RigError('unavailable', 'the link is down');
        return peers.send(node, copy, stream);
      },
    });
    place('a').kill();
    await place('a').start();
    await move('b');
    await scene.until('the complaint', async () => (await errorNow()) !== null, { withinMs: 400_000 });
    expect(await errorNow()).toBe(`${MOVE_FAILED_PREFIX}to node b: the link is down`);
    expect(scene.clock.monotonicMs()).toBeGreaterThanOrEqual(300_000);
  });

  it('is told of at once when it goes back to where what differs is kept', async () => {
    const { place, move } = await movedToDiffer();
    await move('a');
    await scene.until('the complaint', async () => (await errorNow()) !== null, { withinMs: 5000 });
    expect(await errorNow()).toMatch(/node a keeps .* ffffffffffffffff-0/);
    expect(place('a').files()).toEqual(FILES);
    expect(scene.exporting()).toEqual(['b']);
  });
});

it('gives clients longer to wait only after cutovers that took too long', async () => {
  const { place, move } = await begin();
  let isLast = false;
  place('a').hooks.failpoint = async (point) => {
    if (point === 'move/after-cutover') isLast = true;
  };
  place('b').hooks.storage = (storage) => ({
    ...storage,
    receive: async (copy, body) => {
      if (isLast) await scene.clock.sleep(45_000);
      isLast = false;
      await storage.receive(copy, body);
    },
  });
  for (const name of ['a', 'b']) place(name).kill();
  for (const name of ['a', 'b']) await place(name).start();
  scene.world.cut('a', 'b');
  await move('b');
  const failures = (): number => place('a').lines.filter(({ event }) => event === 'move.failed').length;
  await scene.until('failures of another kind', () => failures() > 5);
  scene.world.heal('a', 'b');
  await settled('b');
  const limits = place('a').lines.filter(({ event }) => event === 'move.cutover-too-long');
  expect(limits.map(({ limitMs }) => limitMs)).toEqual([30_000]);
});

it('keeps what was found to differ, also after a restart and when the volume has moved on', async () => {
  const { place, move } = await begin('a', 'b', 'c');
  place('b').hooks.storage = (storage) => ({ ...storage, digest: async () => 'f'.repeat(64) });
  place('b').kill();
  await place('b').start();
  await move('b');
  await scene.until('the mismatch', () => place('a').events().includes('move.digest-mismatch'));
  await scene.until('the volume on b', isAt('b'));
  place('a').kill();
  place('b').kill();
  place('b').hooks.storage = (storage) => storage;
  await place('b').start();
  await move('c');
  await scene.until('the volume on c', isAt('c'));
  await scene.until('the end of all remains on b', () => place('b').copies().length === 0);
  await place('a').start();
  await scene.until('a look at it', () => place('a').events().includes('move.remains-kept'));
  for (let passes = 0; passes < 6; passes += 1) {
    for (const name of ['a', 'b', 'c']) await place(name).pass();
    await scene.clock.advance(2000);
  }
  expect(place('a').files()).toEqual(FILES);
  expect(place('a').copies()).toContain(MISMATCH_MARK);
  expect(
    place('a')
      .events()
      .filter((event) => event === 'move.remains-kept'),
  ).toHaveLength(1);
  expect(place('a').copies().length).toBeGreaterThan(1);
});

it('compares again what was found to differ, once people have deleted the mark', async () => {
  const { place } = await movedToDiffer();
  await scene.clock.advance(60_000);
  expect(place('a').files()).toEqual(FILES);
  const { copies } = place('a').disk;
  for (const [key, { name }] of copies) if (name === MISMATCH_MARK) copies.delete(key);
  await settled('b');
});
