import { describe, expect, it } from '@jest/globals';
import type { Kv, Transaction } from '../../../src/kv/kv.ts';
import { inWorld, type TestWorld } from './world.ts';

const put = (key: string): Transaction => ({ compare: [], writes: [{ kind: 'put', key, value: '1' }] });
const drop = { does: 'drop' } as const;

/** How the call failed, and after how long. */
async function failureOf({ rig }: TestWorld, call: Promise<unknown>) {
  const startedMs = rig.clock.monotonicMs();
  const error = await call.then(
    () => undefined,
    ({ code, definite }: { readonly code: string; readonly definite: boolean }) => ({ code, definite }),
  );
  return { error, tookMs: rig.clock.monotonicMs() - startedMs };
}

const isThere = async (kv: Kv, key: string): Promise<boolean> => (await kv.get(key)).kv !== undefined;

describe('a client of the simulated etcd', () => {
  it('does not know whether a write was done whose answer is lost, and it was', () =>
    inWorld(1, async (world) => {
      const { kv } = world.client();
      await kv.transact(put('/before'));
      world.link('etcd', 'node1', drop);
      const { error, tookMs } = await failureOf(world, kv.transact(put('/during')));
      expect(error).toEqual({ code: 'timeout', definite: false });
      expect(Math.round(tookMs)).toBe(1_500);
      expect(await isThere(world.etcd.store.connect(), '/during')).toBe(true);
    }));

  it('may find a write done much later that it has given up', () =>
    inWorld(3, async (world) => {
      const { kv } = world.client(['etcd1']);
      await kv.get('/');
      for (const other of ['etcd2', 'etcd3']) world.etcd.act('pause', other);
      const { error } = await failureOf(world, kv.transact(put('/late')));
      expect(error).toEqual({ code: 'timeout', definite: false });
      const seen = world.etcd.store.revision;
      for (const other of ['etcd2', 'etcd3']) world.etcd.act('resume', other);
      await world.rig.clock.sleep(5_000);
      expect([seen, await isThere(kv, '/late')]).toEqual([1, true]);
    }));

  it('knows that nothing was done where it cannot even connect', () =>
    inWorld(1, async (world) => {
      world.link('node1', 'etcd', drop);
      const { error } = await failureOf(world, world.client().kv.transact(put('/never')));
      expect(error).toEqual({ code: 'unavailable', definite: true });
    }));

  it('reads at another member when one is frozen, within the deadline', () =>
    inWorld(3, async (world) => {
      const { kv } = world.client(['etcd1', 'etcd2', 'etcd3']);
      world.etcd.act('pause', 'etcd1');
      await world.rig.clock.sleep(3_000);
      expect(await failureOf(world, kv.get('/'))).toMatchObject({ error: undefined });
    }));

  it('is answered by the majority of members alone', () =>
    inWorld(3, async (world) => {
      for (const other of ['etcd2', 'etcd3']) {
        world.link('etcd1', other, drop);
        world.link(other, 'etcd1', drop);
      }
      await world.rig.clock.sleep(3_000);
      const alone = world.client(['etcd1']).kv;
      const { error } = await failureOf(world, alone.transact(put('/minority')));
      expect(error).toEqual({ code: 'timeout', definite: false });
      const most = world.client(['etcd2']).kv;
      await most.transact(put('/majority'));
      expect([await isThere(most, '/minority'), await isThere(most, '/majority')]).toEqual([false, true]);
    }));

  it('hears of every write on a watch, and gives the watch up when its member falls silent', () =>
    inWorld(1, async (world) => {
      const { kv } = world.client();
      const heard: string[] = [];
      const { signal } = new AbortController();
      const watching = (async () => {
        for await (const { events } of kv.watch({ prefix: '/', fromRevision: 1, signal })) {
          for (const event of events) if (event.kind === 'put') heard.push(event.kv.key);
        }
      })();
      watching.catch(() => undefined);
      await kv.transact(put('/one'));
      await kv.transact(put('/two'));
      await world.rig.clock.sleep(100);
      expect(heard).toEqual(['/one', '/two']);
      world.link('etcd', 'node1', drop);
      const { error, tookMs } = await failureOf(world, watching);
      expect(error).toMatchObject({ code: 'unavailable' });
      expect(tookMs).toBeLessThan(6_000 + 1_500 + 100);
    }));

  it('probes a member at one pace, however often watches come and go', () =>
    inWorld(1, async (world) => {
      const { kv } = world.client();
      const { signal } = new AbortController();
      const open = async (): Promise<AsyncIterator<unknown>> => {
        const watch = kv.watch({ prefix: '/', fromRevision: 1, signal })[Symbol.asyncIterator]();
        await watch.next();
        return watch;
      };
      for (let count = 0; count < 10; count += 1) await (await open()).return?.();
      await open();
      const before = world.queue.taken;
      await world.rig.clock.sleep(60_000);
      // Each of ten probes rings, goes there and comes back.
      expect(world.queue.taken - before).toBeLessThan(10 * 3 + 5);
    }));

  it('hears nothing any more once its process is dead', () =>
    inWorld(1, async (world) => {
      const { kv, process } = world.client();
      let isAnswered = false;
      void kv.get('/').then(() => {
        isAnswered = true;
      });
      process.end();
      await world.rig.clock.sleep(5_000);
      expect(isAnswered).toBe(false);
    }));
});
