// Volumes that can't go on: their owner may always ask for something else, or delete them.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { gibToBytes } from '../../src/base/units.ts';
import { volumeKey } from '../../src/kv/keys.ts';
import type { Volume } from '../../src/model/volume.ts';
import { clock } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

const sized = (reserved_size: number) => ({ requested: { reserved_size } });
const isStuckIn = (state: Volume['state']) => (volume: Volume | undefined) =>
  volume?.state === state && volume.control.error !== null;
const isReadyWith = (gib: number) => (volume: Volume | undefined) =>
  volume?.state === 'ready' && volume.actual?.reserved_size === gib;
const isGone = (volume: Volume | undefined) => volume === undefined;

onEveryStore('a stuck volume', ({ start }) => {
  it.each(['pending', 'scheduling'] as const)(
    'that asked for too much, and so is %s, can ask for less or be deleted',
    async (state) => {
      await using cluster = await start({ a: { capacityGib: 4 } });
      const { call } = cluster.node('a');
      const stuck = async (): Promise<string> => {
        let id: string;
        if (state === 'pending') {
          id = (await cluster.create('a')).id;
          expect(await call('PUT', `/volumes/${id}`, sized(100))).toMatchObject({ status: 202 });
        } else {
          id = (await call('POST', '/volumes', { name: 'x', ...sized(100) })).json.id;
        }
        await cluster.until(id, `it to be stuck in ${state}`, isStuckIn(state));
        return id;
      };
      const [modest, doomed] = [await stuck(), await stuck()];
      expect(await call('PUT', `/volumes/${modest}`, sized(2))).toMatchObject({
        status: 202,
        json: { state, control: { error: null } },
      });
      await cluster.until(modest, 'it to have what it asked for', isReadyWith(2));
      expect(await call('DELETE', `/volumes/${doomed}`)).toMatchObject({ status: 202 });
      await cluster.until(doomed, 'its key to be gone', isGone);
      expect([...cluster.node('a').storage.disk.subvolumes.keys()]).toEqual([modest]);
    },
  );

  it('that was refused a smaller size can have its old one back', async () => {
    await using cluster = await start({ a: {} });
    const { call, storage } = cluster.node('a');
    const { id } = await cluster.create('a', sized(2));
    const subvolume = storage.disk.subvolumes.get(id);
    if (subvolume === undefined) throw new Error('there is no subvolume');
    subvolume.usedBytes = gibToBytes(1.5);
    expect(await call('PUT', `/volumes/${id}`, sized(1))).toMatchObject({ status: 202 });
    const refused = await cluster.until(id, 'the refusal', isStuckIn('error'));
    expect(refused.control.error).toMatch(/in use/);
    // A retry may be under way, which is over soon.
    await waitFor({
      clock,
      what: 'the change to be accepted',
      timeoutMs: 10_000,
      probe: async () => ((await call('PUT', `/volumes/${id}`, sized(2))).status === 202 ? true : undefined),
    });
    await cluster.until(id, 'it to be ready again', isReadyWith(2));
  });

  it('that is deleted while it is being created at last leaves nothing behind', async () => {
    await using cluster = await start({ a: {} });
    await cluster.logged('a', 'agent.registered');
    const { call, storage } = cluster.node('a');
    storage.failNext('create');
    const { json } = await call('POST', '/volumes', { name: 'x', ...sized(1) });
    await cluster.until(json.id, 'the failure', isStuckIn('error'));
    const link = cluster.node('a').link('agent');
    link.pause(({ writes }) => writes.some(({ key }) => key === volumeKey(json.id)));
    await waitFor({
      clock,
      what: 'the agent to have created it',
      timeoutMs: 10_000,
      probe: async () => (link.held > 0 ? true : undefined),
      describe: () => JSON.stringify([...storage.disk.subvolumes.keys()]),
    });
    expect([...storage.disk.subvolumes.keys()]).toEqual([json.id]);
    expect(await call('DELETE', `/volumes/${json.id}`)).toMatchObject({ status: 202 });
    link.resume();
    await cluster.until(json.id, 'its key to be gone', isGone);
    expect([...storage.disk.subvolumes.keys()]).toEqual([]);
  });

  it('that was never created is gone when it is deleted, although its node is', async () => {
    await using cluster = await start({ a: { roles: ['api', 'engine'] }, b: { roles: ['agent'] } });
    await cluster.logged('b', 'agent.registered');
    cluster.node('b').storage.failNext('create');
    const { call } = cluster.node('a');
    const { json } = await call('POST', '/volumes', { name: 'x', ...sized(1) });
    const failed = await cluster.until(json.id, 'the failure', isStuckIn('error'));
    expect(failed).toMatchObject({ node: 'b', actual: null });
    await cluster.node('b').kill('agent');
    expect(await call('DELETE', `/volumes/${json.id}`)).toMatchObject({
      status: 202,
      json: { state: 'deleting', node: 'b' },
    });
    await cluster.until(json.id, 'its key to be gone', isGone);
  });

  it('is created on a node whose disk works, however empty the other is', async () => {
    await using cluster = await start({ a: { capacityGib: 4 }, b: { roles: ['agent'], capacityGib: 16 } });
    await Promise.all(['a', 'b'].map((name) => cluster.logged(name, 'agent.registered')));
    cluster.node('b').storage.failNext('create');
    const { json } = await cluster.node('a').call('POST', '/volumes', { name: 'x', ...sized(1) });
    const failed = await cluster.until(json.id, 'the failure', isStuckIn('error'));
    expect(failed.node).toBe('b');
    const ready = await cluster.until(json.id, 'it to be ready', isReadyWith(1));
    expect(ready.node).toBe('a');
  });
});
