// Clones, moves, rewrites and shrinking: what the API takes and refuses, and
// what is then in etcd. Engine and agents are not there to change it.

import { expect, it } from '@jest/globals';
import { gibToBytes } from '../../src/base/units.ts';
import { clonesKey, nodeKey, specKey, VOLUMES_PREFIX, volumeKey } from '../../src/kv/keys.ts';
import type { Volume } from '../../src/model/volume.ts';
import { startApi, type TestApi, type TestApiOptions } from '../support/api.ts';
import { actualOf, ID, nodeOf, readyVolume, volumeOf } from '../unit/model/volumes.ts';
import { onEveryStore } from './suite.ts';

const UNKNOWN = 'vffffffffffffffff';
const CLONE = { name: 'copy', id: ID };
const SPEC = { volume_path: '/srv/cobalt', capacity: 10, labels: {}, draining: false };

onEveryStore('the API', ({ backend }) => {
  /** An API over the suite's store, which holds node a and these. */
  async function serve(
    stored: Readonly<Record<string, unknown>>,
    context: TestApiOptions['context'] = {},
  ): Promise<TestApi & { readonly read: (id?: string) => Promise<Volume> }> {
    const kv = backend().connect();
    const all = { [nodeKey('a')]: nodeOf('a'), [specKey('a')]: SPEC, ...stored };
    await kv.transact({
      compare: [],
      writes: Object.entries(all).map(([key, value]) => ({ kind: 'put', key, value: JSON.stringify(value) })),
    });
    const api = await startApi({ kv, context });
    const read = async (id = ID): Promise<Volume> =>
      JSON.parse((await kv.get(volumeKey(id))).kv?.value ?? 'null');
    return {
      ...api,
      read,
      [Symbol.asyncDispose]: async () => {
        await api[Symbol.asyncDispose]();
        await kv.close();
      },
    };
  }

  const withParent = (volume = readyVolume(), context: TestApiOptions['context'] = {}) =>
    serve({ [volumeKey(ID)]: volume }, context);

  it('orders a clone: pending, with its parent, and the order noted', async () => {
    const requested = { reserved_size: 3, constraints: { disk: 'ssd' } };
    await using api = await withParent(readyVolume({ requested, actual: actualOf(requested) }));
    const { status, json, headers } = await api.call('POST', '/volumes', CLONE);
    expect({ status, location: headers.get('location') }).toEqual({
      status: 202,
      location: `/volumes/${json.id}`,
    });
    expect(await api.read(json.id)).toMatchObject({
      state: 'pending',
      node: null,
      actual: null,
      requested,
      control: { parent_id: ID, task: null, writer: { role: 'api' } },
    });
    expect((await api.kv.get(clonesKey(ID))).kv?.value).toBe(json.id);
    expect(await api.call('POST', '/volumes', { ...CLONE, requested: { reserved_size: 5 } })).toMatchObject({
      status: 202,
      json: { requested: { reserved_size: 5, constraints: { disk: 'ssd' } } },
    });
    const free = { ...CLONE, requested: { reserved_size: 5, constraints: {} } };
    const { json: unbound } = await api.call('POST', '/volumes', free);
    expect(unbound.requested.constraints).toEqual({});
  });

  it('keeps what a change of the request does not name', async () => {
    const requested = { reserved_size: 3, constraints: { disk: 'ssd' } };
    const path = `/volumes/${ID}`;
    await using api = await withParent(readyVolume({ requested, actual: actualOf(requested) }));
    expect(await api.call('PUT', path, { requested: {} })).toMatchObject({ status: 304 });
    expect((await api.call('PUT', path, { requested: { reserved_size: 5 } })).json.requested).toEqual({
      reserved_size: 5,
      constraints: { disk: 'ssd' },
    });
  });

  it.each<[string, Volume | undefined, number]>([
    ['absent', undefined, 404],
    ['not created yet', volumeOf(), 409],
    ['a clone that is still to be made', volumeOf({ state: 'pending' }, { parent_id: UNKNOWN }), 409],
    ['being deleted', readyVolume({ state: 'deleting' }), 409],
    ['in error', readyVolume({ state: 'error' }, { error: 'x' }), 409],
  ])('refuses to clone a volume that is %s', async (_what, parent, status) => {
    await using api = await serve(parent === undefined ? {} : { [volumeKey(ID)]: parent });
    expect(await api.call('POST', '/volumes', CLONE)).toMatchObject({ status });
    expect((await api.kv.list(VOLUMES_PREFIX)).kvs).toHaveLength(parent === undefined ? 0 : 1);
    expect((await api.kv.get(clonesKey(ID))).kv).toBeUndefined();
  });

  it('keeps the parent until its clones are made', async () => {
    await using api = await withParent();
    const first = (await api.call('POST', '/volumes', CLONE)).json.id;
    const second = (await api.call('POST', '/volumes', CLONE)).json.id;
    const before = await api.read();
    const refused = await api.call('DELETE', `/volumes/${ID}`);
    expect(refused).toMatchObject({
      status: 409,
      json: { error: { code: 'clones_pending', volumes: [first, second].sort() } },
    });
    expect(refused.json.error.message).toMatch(/; wait until they are ready\.$/);
    expect(await api.read()).toEqual(before);
    // What it doesn't advise is refused, and says so.
    expect(await api.call('DELETE', `/volumes/${first}`)).toMatchObject({
      status: 409,
      json: { error: { message: expect.stringContaining('while it is pending; wait until it is ready') } },
    });
    const stuck = await api.read(second);
    await api.kv.transact({
      compare: [],
      writes: [
        {
          kind: 'put',
          key: volumeKey(second),
          value: JSON.stringify({ ...stuck, control: { ...stuck?.control, error: 'no room' } }),
        },
      ],
    });
    const advice = (await api.call('DELETE', `/volumes/${ID}`)).json.error.message;
    expect(advice).toContain(`${second} can't go on`);
    expect(advice).toContain('Wait until the others are ready.');
    // One is made, the other is being given up.
    const made = { ...(await api.read(first)), state: 'ready', node: 'a', actual: actualOf() };
    const condemned = { ...(await api.read(second)), state: 'deleting' };
    await api.kv.transact({
      compare: [],
      writes: [made, condemned].map((value) => ({
        kind: 'put',
        key: volumeKey(value.id),
        value: JSON.stringify(value),
      })),
    });
    expect(await api.call('DELETE', `/volumes/${ID}`)).toMatchObject({
      status: 202,
      json: { state: 'deleting' },
    });
    expect((await api.kv.get(clonesKey(ID))).kv).toBeUndefined();
  });

  it('lets orders of clones and the deletion of their parent not pass each other', async () => {
    await using api = await withParent();
    const [deletion, ...orders] = await Promise.all([
      api.call('DELETE', `/volumes/${ID}`),
      ...Array.from({ length: 8 }, () => api.call('POST', '/volumes', CLONE)),
    ]);
    const ordered = orders.filter(({ status }) => status === 202).length;
    expect(orders.every(({ status }) => status === 202 || status === 409)).toBe(true);
    expect({ ordered: ordered > 0, deleted: deletion?.status === 202 }).not.toEqual({
      ordered: true,
      deleted: true,
    });
    expect((await api.read()).state).toBe(deletion?.status === 202 ? 'deleting' : 'ready');
  });

  it('orders a move, with or without a target', async () => {
    await using api = await serve({
      [volumeKey(ID)]: readyVolume(),
      [nodeKey('b')]: nodeOf('b'),
      [specKey('b')]: SPEC,
    });
    expect(await api.call('POST', `/volumes/${ID}/move`, { node: 'a' })).toMatchObject({ status: 304 });
    expect((await api.read()).state).toBe('ready');
    expect(await api.call('POST', `/volumes/${ID}/move`, { node: 'b' })).toMatchObject({ status: 202 });
    expect(await api.read()).toMatchObject({
      state: 'pending',
      node: 'a',
      control: { task: { kind: 'move', cause: 'asked', node: 'b', copy: null } },
    });
    expect(await api.call('POST', `/volumes/${ID}/move`)).toMatchObject({ status: 409 });
    const stuck = readyVolume(
      { state: 'pending' },
      { error: 'no room', task: (await api.read()).control.task },
    );
    await api.kv.transact({
      compare: [],
      writes: [{ kind: 'put', key: volumeKey(ID), value: JSON.stringify(stuck) }],
    });
    expect(await api.call('POST', `/volumes/${ID}/move`)).toMatchObject({
      status: 202,
      json: { control: { error: null, task: { node: null } } },
    });
  });

  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['is not registered', {}, "isn't registered"],
    ['is draining', { [nodeKey('b')]: nodeOf('b'), [specKey('b')]: { ...SPEC, draining: true } }, 'draining'],
    ['has a full disk', { [nodeKey('b')]: nodeOf('b', { disk: { state: 'full', reason: 'x' } }) }, 'full'],
    ['lacks a label', { [nodeKey('b')]: nodeOf('b', { labels: { disk: 'hdd' } }) }, 'label'],
  ])('refuses a move to a node that %s', async (_what, stored, why) => {
    const requested = { reserved_size: 1, constraints: { disk: 'ssd' } };
    await using api = await serve({ [volumeKey(ID)]: readyVolume({ requested }), ...stored });
    expect(await api.call('POST', `/volumes/${ID}/move`, { node: 'b' })).toMatchObject({
      status: 409,
      json: { error: { code: 'unfit_node', message: expect.stringContaining(why) } },
    });
    expect((await api.read()).state).toBe('ready');
  });

  it('orders defragmentation and compression', async () => {
    await using api = await withParent();
    const task = async () => (await api.read()).control.task;
    const path = `/volumes/${ID}`;
    const reset = () =>
      api.kv.transact({
        compare: [],
        writes: [{ kind: 'put', key: volumeKey(ID), value: JSON.stringify(readyVolume()) }],
      });
    expect(await api.call('POST', `${path}/defragment`)).toMatchObject({
      status: 202,
      json: { state: 'pending' },
    });
    expect(await task()).toEqual({ kind: 'rewrite', compression: null });
    for (const algorithm of ['none', 'lzo', 'zlib', 'zstd:3']) {
      await reset();
      expect(await api.call('POST', `${path}/compress`, { algorithm })).toMatchObject({ status: 202 });
      expect(await task()).toEqual({ kind: 'rewrite', compression: algorithm });
    }
  });

  it('refuses work on what is not there, or is at work, or is not meant', async () => {
    const busy = 'v0000000000000001';
    await using api = await serve({
      [volumeKey(ID)]: readyVolume(),
      [volumeKey(busy)]: readyVolume({ id: busy, state: 'resizing' }),
    });
    const bodies = { move: {}, defragment: {}, compress: { algorithm: 'lzo' } };
    for (const [what, body] of Object.entries(bodies)) {
      expect(await api.call('POST', `/volumes/${UNKNOWN}/${what}`, body)).toMatchObject({ status: 404 });
      expect(await api.call('POST', `/volumes/${busy}/${what}`, body)).toMatchObject({ status: 409 });
      expect(await api.call('POST', `/volumes/${ID}/${what}`, { ...body, x: 1 })).toMatchObject({
        status: 400,
        json: { error: { fields: [{ path: 'x' }] } },
      });
      expect(await api.call('POST', `/volumes/${ID}/${what}`, body, { 'if-match': '"1"' })).toMatchObject({
        status: 412,
      });
    }
    for (const algorithm of ['gzip', 'zstd:15', '', null, 'lzo; reboot']) {
      const { status, json } = await api.call('POST', `/volumes/${ID}/compress`, { algorithm });
      expect({ status, path: json.error.fields[0].path }).toEqual({ status: 400, path: 'algorithm' });
    }
    for (const node of ['', '../a', 'a b', 1, null]) {
      expect(await api.call('POST', `/volumes/${ID}/move`, { node })).toMatchObject({ status: 400 });
    }
    expect(await api.call('POST', `/volumes/${ID}/move`, 'null')).toMatchObject({ status: 400 });
    expect(await api.read()).toEqual(readyVolume());
    expect((await api.read(busy)).state).toBe('resizing');
  });

  it('does not leave a volume less room than it needs, if its agent says how much that is', async () => {
    const usedBytes = gibToBytes(1.5);
    const asked: unknown[] = [];
    const large = { reserved_size: 4, constraints: {} };
    await using api = await withParent(readyVolume({ requested: large, actual: actualOf(large) }), {
      usage: async (...about) => {
        asked.push(about);
        return { usedBytes };
      },
    });
    const sized = (reserved_size: number) => ({ requested: { reserved_size } });
    for (const [method, path, body] of [
      ['PUT', `/volumes/${ID}`, sized(1)],
      ['POST', '/volumes', { ...CLONE, ...sized(1) }],
    ] as const) {
      expect(await api.call(method, path, body)).toMatchObject({
        status: 409,
        json: { error: { code: 'too_small', used_bytes: usedBytes } },
      });
    }
    expect(asked).toEqual([
      ['a', ID],
      ['a', ID],
    ]);
    expect((await api.read()).state).toBe('ready');
    expect(await api.call('POST', '/volumes', { ...CLONE, ...sized(1.5) })).toMatchObject({ status: 202 });
    expect(await api.call('PUT', `/volumes/${ID}`, sized(1.5))).toMatchObject({ status: 202 });
    expect(await api.call('PUT', `/volumes/${ID}`, sized(8))).toMatchObject({ status: 409 });
    expect(asked).toHaveLength(4);
  });

  it.each<[string, NonNullable<TestApiOptions['context']>['usage']]>([
    ['refuses', async () => Promise.reject(new Error('no'))],
    ['does not answer', () => new Promise(() => {})],
    ['does not know', async () => undefined],
  ])('takes a shrink when the agent %s: it sees to it itself', async (_what, usage) => {
    const large = { reserved_size: 4, constraints: {} };
    const volume = readyVolume({ requested: large, actual: actualOf(large) });
    await using api = await withParent(volume, usage === undefined ? {} : { usage });
    const answer = await api.call('PUT', `/volumes/${ID}`, { requested: { reserved_size: 1 } });
    expect(answer.status).toBe(202);
    expect(answer.ms).toBeLessThan(1500);
    expect(await api.read()).toMatchObject({ state: 'pending', requested: { reserved_size: 1 } });
  });

  it('calls off what a volume is stuck with when it is asked to be as it is', async () => {
    const task = { kind: 'move', cause: 'asked', node: 'b', copy: null } as const;
    for (const [method, path, body] of [
      ['PUT', `/volumes/${ID}`, { requested: { reserved_size: 1 } }],
      ['POST', `/volumes/${ID}/move`, { node: 'a' }],
    ] as const) {
      await using api = await withParent(readyVolume({ state: 'pending' }, { error: 'no room', task }));
      expect(await api.call(method, path, body)).toMatchObject({ status: 202 });
      expect(await api.read()).toMatchObject({ state: 'pending', control: { error: null, task: null } });
    }
  });
});
