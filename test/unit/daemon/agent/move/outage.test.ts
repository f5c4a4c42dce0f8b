// How long clients go without a volume whose last difference takes too long to send, and that people hear of it.

import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { TransactionResult } from '../../../../../src/kv/kv.ts';
import { MOVE_FAILED_PREFIX, moveCancelled } from '../../../../../src/model/changes.ts';
import { isOnItsWay } from '../../../../../src/model/volume.ts';
import { begin, FILES, isAt, scene, settled } from './story.ts';

const MINUTE_MS = 60_000;
const STEP_MS = 10_000;

/** Whatever happened, no two nodes ever exported the volume at a time. */
afterEach(() => expect(scene.violations).toEqual([]));
/** The clock is the test's own, but the steps are many, and the machine may be busy. */
jest.setTimeout(30_000);

/** The link is slow whenever a last copy is on it, for as long as `isSlow`. */
async function beginSlow(isSlow: () => boolean) {
  const { place, move } = await begin();
  let isLast = false;
  place('a').hooks.failpoint = async (point) => {
    if (point === 'move/after-cutover') isLast = true;
  };
  place('a').hooks.storage = (storage) => ({
    ...storage,
    send: async function* (copy, options) {
      const trickles = isLast && isSlow();
      isLast = false;
      for await (const chunk of storage.send(copy, options)) {
        if (!trickles) yield chunk;
        else {
          for (const byte of chunk) {
            await scene.clock.sleep(20_000);
            yield Uint8Array.of(byte);
          }
        }
      }
    },
  });
  place('a').kill();
  await place('a').start();
  await move('b');
  return { place, move };
}

/** As the engine does: calls a move off that is complained of, and begins it again a minute later. */
async function playEngine(move: (node: string) => Promise<void>): Promise<'cancelled' | undefined> {
  const volume = await scene.read();
  if (volume === undefined) throw new Error('there is no volume');
  const author = { writer: { role: 'engine', node: 'a', term: 1 }, nowMs: scene.clock.nowMs() } as const;
  if (isOnItsWay(volume) && volume.control.error?.startsWith(MOVE_FAILED_PREFIX) === true) {
    await scene.write(moveCancelled(volume, 'called off', author));
    return 'cancelled';
  }
  const waitedMs = scene.clock.nowMs() - Date.parse(volume.control.updated);
  if (volume.state === 'pending' && waitedMs >= MINUTE_MS) await move('b');
  return undefined;
}

it('is bounded, for each cutover and all together, and told of', async () => {
  let isBroken = true;
  const { place, move } = await beginSlow(() => isBroken);
  const told: string[] = [];
  let [outMs, longestMs, exportedMs, movingMs, longestMoveMs] = [0, 0, 0, 0, 0];
  const lastingMs = 100 * MINUTE_MS;
  for (let ms = 0; ms < lastingMs; ms += STEP_MS) {
    const { state, control } = (await scene.read()) ?? {};
    movingMs = state === 'moving' ? movingMs + STEP_MS : 0;
    longestMoveMs = Math.max(longestMoveMs, movingMs);
    if ((await playEngine(move)) === 'cancelled') told.push(control?.error ?? '');
    for (const name of ['a', 'b']) await place(name).pass();
    await scene.clock.advance(STEP_MS);
    const isOut = scene.exporting().length === 0;
    outMs = isOut ? outMs + STEP_MS : 0;
    longestMs = Math.max(longestMs, outMs);
    if (!isOut) exportedMs += STEP_MS;
  }
  expect(longestMs).toBeGreaterThan(0);
  expect(longestMs).toBeLessThanOrEqual(2 * MINUTE_MS + STEP_MS);
  expect(exportedMs / lastingMs).toBeGreaterThan(0.85);
  expect(longestMoveMs).toBeLessThan(10 * MINUTE_MS);
  expect(told[0]).toMatch(
    /^the move .*: the cutover of volume .* took longer than 120000 ms, as did 2 before it/,
  );
  isBroken = false;
  for (let ms = 0; ms < 30 * MINUTE_MS; ms += STEP_MS) {
    await playEngine(move);
    for (const name of ['a', 'b']) await place(name).pass();
    await scene.clock.advance(STEP_MS);
  }
  await settled('b', FILES);
});

it('is followed by access for as long before the next cutover', async () => {
  let slow = 2;
  const { place } = await beginSlow(() => slow-- > 0);
  await scene.until('the volume on b', isAt('b'), { withinMs: 600_000 });
  await settled('b', FILES);
  const cutovers = place('a').lines.filter(({ event }) => event === 'move.cutover');
  const starts = cutovers.map(({ at }) => Date.parse(at));
  const gaps = starts.slice(1).map((startMs, index) => startMs - (starts[index] ?? 0));
  expect(gaps[0]).toBeGreaterThanOrEqual(60_000);
  expect(gaps[1]).toBeGreaterThanOrEqual(180_000);
});

describe('a cutover that hangs', () => {
  /** Until it is released. */
  const hanging = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { promise, release: () => resolve() };
  };

  /** The volume is out of reach, and back after the limit, well before whatever hangs comes to an end. */
  async function givenBack(): Promise<void> {
    await scene.until('the cutover', () => !scene.place('a').isExporting());
    await scene.until('the export', () => scene.place('a').isExporting(), { withinMs: 35_000 });
    expect(scene.place('a').events()).toContain('move.cutover-too-long');
  }

  it.each(['freeze', 'unexport'])('in the %s gives the volume back, and goes on later', async (what) => {
    const { place, move } = await begin();
    const held = hanging();
    const { exporter } = place('a');
    const { remove } = exporter;
    let isLast = false;
    let hung = 0;
    const hang = async (): Promise<void> => {
      if (!isLast || hung > 0) return;
      hung += 1;
      await held.promise;
    };
    place('a').hooks.failpoint = async (point) => {
      if (point === 'move/after-cutover') isLast = true;
    };
    place('a').hooks.storage = (storage) => ({
      ...storage,
      freeze: async (copy) => {
        if (what === 'freeze') await hang();
        await storage.freeze(copy);
      },
    });
    exporter.remove = async (id) => {
      isLast ||= what === 'unexport';
      await remove(id);
      if (what === 'unexport') await hang();
    };
    place('a').kill();
    await place('a').start();
    await move('b');
    await givenBack();
    held.release();
    await settled('b');
    expect(hung).toBe(1);
  });

  it.each(['lost', 'committed', 'committed late'])(
    'in a handover without an answer (%s) has it where etcd says',
    async (how) => {
      const { place, move } = await begin();
      const held = hanging();
      let hung = 0;
      let answer: Promise<TransactionResult> | undefined;
      place('a').hooks.kv = (kv) => ({
        ...kv,
        transact: async (transaction) => {
          const isHandover = transaction.writes.some(
            (write) => write.kind === 'put' && write.value.includes('"node":"b","requested"'),
          );
          if (!isHandover || hung > 0) return kv.transact(transaction);
          hung += 1;
          if (how === 'committed') answer = kv.transact(transaction);
          await held.promise;
          answer ??= kv.transact(transaction);
          return how === 'lost' ? new Promise<never>(() => {}) : answer;
        },
      });
      place('a').kill();
      await place('a').start();
      await move('b');
      if (how !== 'committed') await givenBack();
      else await scene.until('the volume on b', isAt('b'));
      held.release();
      await settled('b');
      expect(hung).toBe(1);
      if (how === 'committed late') expect(await answer).toMatchObject({ succeeded: false });
    },
  );
});
