// Moves with everything that can go wrong in between.

import { afterEach, describe, expect, it } from '@jest/globals';
import { RigError } from '../../../../../src/base/errors.ts';
import { FAILPOINTS } from '../../../../../src/base/failpoints.ts';
import type { Kv } from '../../../../../src/kv/kv.ts';
import { actualOf, readyVolume } from '../../../model/volumes.ts';
import { begin, FILES, isAt, scene, settled } from './story.ts';

/** Whatever happened, no two nodes ever exported the volume at a time. */
afterEach(() => expect(scene.violations).toEqual([]));

describe('a move whose', () => {
  const OF_SOURCE = FAILPOINTS.filter((name) => name.startsWith('move/') && name !== 'move/after-receive');

  it.each(OF_SOURCE)('source dies at %s goes on when it is back', async (failpoint) => {
    const { place, move } = await begin();
    let deaths = 0;
    place('a').hooks.failpoint = async (name) => {
      if (name !== failpoint || deaths > 0) return;
      deaths += 1;
      place('a').kill();
    };
    await move('b');
    await scene.until('the death', () => deaths === 1);
    await scene.clock.advance(5000);
    await place('a').start();
    await settled('b');
  });

  it.each(OF_SOURCE)('source meets an error at %s goes on by itself', async (failpoint) => {
    const { place, move } = await begin();
    let errors = 0;
    place('a').hooks.failpoint = async (name) => {
      if (name !== failpoint || errors > 1) return;
      errors += 1;
      throw new RigError('io', 'on demand', { definite: false });
    };
    await move('b');
    await settled('b');
    expect(errors).toBeGreaterThan(0);
  });

  it('base is tidied away while the difference to it arrives does without, and nobody complains', async () => {
    const { place, move } = await begin();
    let losses = 0;
    place('b').hooks.storage = (storage) => ({
      ...storage,
      receive: async (copy, body) => {
        const [base] = await storage.copies();
        if (base !== undefined && losses === 0) {
          losses += 1;
          await storage.discard(base);
        }
        await storage.receive(copy, body);
      },
    });
    place('b').kill();
    await place('b').start();
    await move('b');
    await settled('b', FILES);
    expect(losses).toBe(1);
    expect(place('a').lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.each([1, 2])('target dies with the copy that it has just received, number %i', async (number) => {
    const { place, move } = await begin();
    let received = 0;
    place('b').hooks.failpoint = async (name) => {
      if (name !== 'move/after-receive') return;
      received += 1;
      if (received === number) place('b').kill();
    };
    await move('b');
    await scene.until('the death', () => !place('b').isRunning());
    // Meanwhile its clients have it where it was.
    await scene.until('the old node to export it', () => place('a').isExporting());
    await place('b').start();
    await settled('b');
  });

  it.each([false, true])(
    'link is cut in the middle of a stream (silently: %s) goes on when it is back',
    async (silently) => {
      const { place, move, world } = await begin();
      let cuts = 0;
      place('a').hooks.storage = (storage) => ({
        ...storage,
        send: async function* (copy, options) {
          let chunks = 0;
          for await (const chunk of storage.send(copy, options)) {
            yield chunk;
            chunks += 1;
            if (chunks === 2 && cuts < 2) {
              cuts += 1;
              world.cut('a', 'b', { silently });
            }
          }
        },
      });
      place('a').kill();
      await place('a').start();
      await move('b');
      await scene.until('the first cut', () => cuts === 1);
      await scene.clock.advance(70_000);
      expect(scene.exporting()).toEqual(['a']);
      world.heal('a', 'b');
      await scene.until('the second cut', () => cuts === 2);
      world.heal('a', 'b');
      await settled('b');
    },
  );

  it.each([1, 2])('stream is corrupted on its way sends again (stream %i)', async (number) => {
    const { place, move } = await begin();
    let streams = 0;
    place('b').hooks.storage = (storage) => ({
      ...storage,
      receive: (copy, stream) => {
        streams += 1;
        return storage.receive(copy, stream);
      },
    });
    place('a').hooks.peers = (peers) => ({
      ...peers,
      // Damaged where the receiver's own checks don't see it: what it has received has another digest.
      send: async (node, copy, options) => {
        const sha256 = await peers.send(node, copy, options);
        return streams === number ? `${sha256.slice(1)}0` : sha256;
      },
    });
    for (const name of ['a', 'b']) place(name).kill();
    for (const name of ['a', 'b']) await place(name).start();
    await move('b');
    await settled('b');
    expect(place('a').lines.find(({ event }) => event === 'move.failed')).toMatchObject({
      cause: expect.stringContaining('other bytes'),
    });
  });

  it('copies turn out to differ keeps everything', async () => {
    const { place, move } = await begin();
    place('b').hooks.storage = (storage) => ({
      ...storage,
      digest: async () => 'f'.repeat(64),
    });
    place('b').kill();
    await place('b').start();
    await move('b');
    await scene.until('the mismatch', () => place('a').events().includes('move.digest-mismatch'));
    await scene.until('the volume on b', isAt('b'));
    for (let passes = 0; passes < 6; passes += 1) {
      await place('a').pass();
      await place('b').pass();
      await scene.clock.advance(2000);
    }
    expect(place('a').files()).toEqual(FILES);
    expect(place('a').copies().length).toBeGreaterThan(0);
    expect(place('b').copies().length).toBeGreaterThan(0);
    expect(
      place('a')
        .events()
        .filter((event) => event === 'move.digest-mismatch'),
    ).toHaveLength(1);
  });
});

describe('a handover of which nobody has heard', () => {
  /** Sends the handover, and makes its answer, or the handover itself, come late or never. */
  const onHandover = (kv: Kv, what: (send: () => Promise<unknown>) => Promise<never>, times = 1): Kv => {
    let done = 0;
    return {
      ...kv,
      transact: (transaction) => {
        const isHandover = transaction.writes.some(
          (write) => write.kind === 'put' && write.value.includes('"node":"b","requested"'),
        );
        if (!isHandover || done >= times) return kv.transact(transaction);
        done += 1;
        return what(() => kv.transact(transaction));
      },
    };
  };
  const noAnswer = () => new RigError('timeout', 'no answer', { definite: false });

  it('is found to have happened', async () => {
    const { place, move } = await begin();
    place('a').hooks.kv = (kv) =>
      onHandover(kv, async (send) => {
        await send();
        throw noAnswer();
      });
    place('a').kill();
    await place('a').start();
    await move('b');
    await settled('b');
  });

  it.each([1, 2])('can not be committed after the old node has exported again, %i times', async (times) => {
    const { place, move } = await begin();
    const late: (() => Promise<unknown>)[] = [];
    const lose = async (send: () => Promise<unknown>): Promise<never> => {
      late.push(send);
      throw noAnswer();
    };
    place('a').hooks.kv = (kv) => onHandover(kv, lose, times);
    place('a').kill();
    await place('a').start();
    const tried: unknown[] = [];
    place('a').hooks.failpoint = async (name) => {
      // Another round: the volume has been exported again meanwhile.
      if (name === 'move/after-freeze' && place('a').isExporting()) {
        for (const send of late.splice(0)) tried.push(await send());
      }
    };
    await move('b');
    await settled('b');
    expect(tried).toHaveLength(times);
    for (const answer of tried) expect(answer).toMatchObject({ succeeded: false });
    expect(
      place('a')
        .events()
        .filter((event) => event === 'move.claimed'),
    ).toHaveLength(times);
  });

  it('can not be committed after a new process of the old node has exported again', async () => {
    const { place, move } = await begin();
    let late: (() => Promise<unknown>) | undefined;
    place('a').hooks.kv = (kv) =>
      onHandover(kv, (send) => {
        late = send;
        place('a').kill();
        return new Promise<never>(() => {});
      });
    place('a').kill();
    await place('a').start();
    await move('b');
    await scene.until('the handover', () => late !== undefined);
    place('a').hooks.kv = (kv) => kv;
    scene.world.cut('a', 'b');
    await place('a').start();
    await scene.until('the export', () => place('a').isExporting());
    expect(await late?.()).toMatchObject({ succeeded: false });
    scene.world.heal('a', 'b');
    await settled('b');
  });

  it('keeps a new process of the old node from exporting, and says so, until the new node answers', async () => {
    const { place, move } = await begin();
    place('a').hooks.failpoint = async (name) => {
      if (name === 'move/before-handover') place('a').kill();
    };
    await move('b');
    await scene.until('the death', () => !place('a').isRunning());
    place('b').kill();
    place('a').hooks.failpoint = async () => {};
    await place('a').start();
    await scene.until('the reason', async () =>
      /^node b may have it: a exports it again once b/.test((await scene.read())?.control.error ?? ''),
    );
    for (let passes = 0; passes < 4; passes += 1) {
      await place('a').pass();
      await scene.clock.advance(2000);
    }
    expect(scene.exporting()).toEqual([]);
    await place('b').start();
    await scene.until('the end of the doubt', () => place('a').events().includes('move.settled'));
    await settled('b');
    expect((await scene.read())?.control.error).toBeNull();
  });

  it('can not be committed after a new process has begun to send, though nobody has exports to be claimed for', async () => {
    const { place, move } = await begin();
    await scene.write(readyVolume({ node: 'a', exports: [], actual: actualOf({ exports: [] }) }));
    let late: (() => Promise<unknown>) | undefined;
    place('a').hooks.kv = (kv) =>
      onHandover(kv, (send) => {
        late = send;
        place('a').kill();
        return new Promise<never>(() => {});
      });
    place('a').kill();
    await place('a').start();
    await move('b');
    await scene.until('the handover', () => late !== undefined);
    place('a').hooks.kv = (kv) => kv;
    let answer: unknown;
    place('a').hooks.failpoint = async (name) => {
      // The copy that it names has been discarded by then.
      if (name === 'move/after-cutover') answer = await late?.();
    };
    await place('a').start();
    await scene.until('the volume on b', isAt('b'));
    expect(answer).toMatchObject({ succeeded: false });
  });
});
