// The calls on /nodes, and what becomes of them in etcd.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { diskKey, nodeKey, specKey, volumeKey } from '../../src/kv/keys.ts';
import type { Kv } from '../../src/kv/kv.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { clock } from '../support/cluster.ts';
import { actualOf, ID, nodeOf, readyVolume } from '../unit/model/volumes.ts';
import { onEveryStore } from './suite.ts';

const SPEC = { volume_path: '/srv/cobalt', capacity: 10, labels: { disk: 'ssd' }, draining: false };

onEveryStore('the API', ({ backend, start }) => {
  /** An API over a store with a live node a, which has a volume, and a node b that is away. */
  async function serve(): Promise<TestApi & { readonly spec: (name: string) => Promise<unknown> }> {
    const kv = backend().connect();
    const stored = {
      [nodeKey('a')]: nodeOf('a'),
      [specKey('a')]: SPEC,
      [specKey('b')]: { ...SPEC, draining: true },
      [diskKey('b')]: { any: 'thing' },
      [volumeKey(ID)]: readyVolume(),
    };
    await kv.transact({
      compare: [],
      writes: Object.entries(stored).map(([key, value]) => ({
        kind: 'put',
        key,
        value: JSON.stringify(value),
      })),
    });
    const api = await startApi({ kv });
    return {
      ...api,
      spec: async (name) => JSON.parse((await kv.get(specKey(name))).kv?.value ?? 'null'),
      [Symbol.asyncDispose]: async () => {
        await api[Symbol.asyncDispose]();
        await kv.close();
      },
    };
  }

  it('lists live nodes, and those that are away on request', async () => {
    await using api = await serve();
    const names = async (query: string) =>
      (await api.call('GET', `/nodes${query}`)).json.nodes.map(({ name }: { name: string }) => name);
    expect(await names('')).toEqual(['a']);
    expect(await names('?alive=false')).toEqual(['b']);
    expect(await names('?alive=any')).toEqual(['a', 'b']);
    expect((await api.call('GET', '/nodes?alive=any&limit=1')).json.next).toBe('a');
    expect(await names('?alive=any&limit=1&after=a')).toEqual(['b']);
    for (const query of ['?alive=maybe', '?limit=0', '?limit=1001', '?limit=x', '?after=..', '?all=1']) {
      expect(await api.call('GET', `/nodes${query}`)).toMatchObject({ status: 400 });
    }
    const [a] = (await api.call('GET', '/nodes')).json.nodes;
    expect(a).toMatchObject({
      alive: true,
      draining: false,
      labels: SPEC.labels,
      volumes: { count: 1, reserved: 1 },
    });
    const b = await api.call('GET', '/nodes/b');
    expect(b).toMatchObject({
      status: 200,
      json: { alive: false, draining: true, address: null, capacity: 10, volumes: { count: 0, reserved: 0 } },
    });
  });

  it('counts a volume on its way on both of its nodes', async () => {
    await using api = await serve();
    const task = { kind: 'move', cause: 'drain', node: 'b', copy: null } as const;
    const moving = readyVolume({ state: 'moving' }, { task });
    await api.kv.transact({
      compare: [],
      writes: [{ kind: 'put', key: volumeKey(ID), value: JSON.stringify(moving) }],
    });
    const { nodes } = (await api.call('GET', '/nodes?alive=any')).json;
    expect(nodes).toMatchObject([{ volumes: { count: 1 } }, { volumes: { count: 1 } }]);
    expect(await api.call('DELETE', '/nodes/b')).toMatchObject({
      status: 409,
      json: { error: { code: 'not_empty', volumes: [ID] } },
    });
  });

  it("has an ETag that changes with the node's volumes, and serves If-Match by its spec", async () => {
    await using api = await serve();
    const etag = (await api.call('GET', '/nodes/a')).headers.get('etag') ?? '';
    expect(await api.call('GET', '/nodes/a', undefined, { 'if-none-match': `"0", ${etag}` })).toMatchObject({
      status: 304,
      json: '',
    });
    await api.kv.transact({
      compare: [],
      writes: [
        {
          kind: 'put',
          key: volumeKey('v0000000000000001'),
          value: JSON.stringify(readyVolume({ id: 'v0000000000000001' })),
        },
      ],
    });
    expect(await api.call('GET', '/nodes/a', undefined, { 'if-none-match': etag })).toMatchObject({
      status: 200,
    });
    const change = (headers: Record<string, string>) =>
      api.call('PUT', '/nodes/a', { draining: true }, headers);
    expect(await change({ 'if-match': '"1-x"' })).toMatchObject({ status: 412 });
    expect(await api.spec('a')).toEqual(SPEC);
    expect(await change({ 'if-match': etag })).toMatchObject({ status: 202, json: { draining: true } });
    expect(await change({ 'if-match': etag })).toMatchObject({ status: 412 });
  });

  it("has an ETag of a volume that changes with its node's address, and serves If-Match by the volume", async () => {
    await using api = await serve();
    const read = (headers = {}) => api.call('GET', `/volumes/${ID}`, undefined, headers);
    const register = (address: string) =>
      api.kv.transact({
        compare: [],
        writes: [{ kind: 'put', key: nodeKey('a'), value: JSON.stringify(nodeOf('a', { address })) }],
      });
    const etag = (await read()).headers.get('etag') ?? '';
    await register('10.9.9.9');
    const moved = await read({ 'if-none-match': etag });
    expect(moved).toMatchObject({ status: 200, json: { mount: { server: '10.9.9.9' } } });
    expect((await read({ 'if-none-match': moved.headers.get('etag') ?? '' })).status).toBe(304);
    const body = { exports: [{ host: '10.0.0.7', access: 'rw', squash: 'none' }] };
    const headers = { 'if-match': etag };
    expect((await api.call('PUT', `/volumes/${ID}/exports`, body, headers)).status).toBe(202);
    expect((await api.call('PUT', `/volumes/${ID}/exports`, body, headers)).status).toBe(412);
  });

  it('changes what is named of a spec, and nothing else', async () => {
    await using api = await serve();
    const steps = [
      [{ draining: true }, { ...SPEC, draining: true }],
      [{ labels: { zone: 'eu' } }, { ...SPEC, labels: { zone: 'eu' }, draining: true }],
      [
        { capacity: 2.5, draining: false },
        { ...SPEC, labels: { zone: 'eu' }, capacity: 2.5 },
      ],
    ] as const;
    for (const [body, spec] of steps) {
      expect(await api.call('PUT', '/nodes/a', body)).toMatchObject({ status: 202, json: body });
      expect(await api.spec('a')).toEqual(spec);
      expect(await api.call('PUT', '/nodes/a', body)).toMatchObject({ status: 304 });
    }
    expect(await api.call('PUT', '/nodes/b', { draining: false })).toMatchObject({ status: 202 });
  });

  it('refuses changes that make no sense', async () => {
    await using api = await serve();
    const bad: readonly (readonly [unknown, string])[] = [
      [{}, ''],
      [{ drain: true }, 'drain'],
      [{ draining: 'yes' }, 'draining'],
      [{ capacity: 0 }, 'capacity'],
      [{ capacity: -1 }, 'capacity'],
      [{ capacity: 1e9 }, 'capacity'],
      [{ labels: { 'A B': 'x' } }, 'labels.A B'],
      [{ labels: { a: '"; }' } }, 'labels.a'],
      [{ labels: null }, 'labels'],
    ];
    for (const [body, path] of bad) {
      const { status, json } = await api.call('PUT', '/nodes/a', body);
      expect({ body, status, path: json.error.fields?.[0].path }).toEqual({ body, status: 400, path });
    }
    expect(await api.call('PUT', '/nodes/a', { capacity: 0.5 })).toMatchObject({
      status: 409,
      json: { error: { code: 'too_small', used_bytes: 2 ** 30 } },
    });
    expect(await api.call('PUT', '/nodes/nobody', { draining: true })).toMatchObject({ status: 404 });
    expect(await api.call('PUT', '/nodes/A', { draining: true })).toMatchObject({ status: 400 });
    expect(await api.spec('a')).toEqual(SPEC);
  });

  it('forgets a node that is away and empty, and no other', async () => {
    await using api = await serve();
    expect(await api.call('DELETE', '/nodes/a')).toMatchObject({
      status: 409,
      json: { error: { code: 'alive' } },
    });
    expect(await api.call('DELETE', '/nodes/nobody')).toMatchObject({ status: 404 });
    const onB = readyVolume({ node: 'b', actual: actualOf() });
    const put = (volume: unknown) =>
      api.kv.transact({
        compare: [],
        writes: [{ kind: 'put', key: volumeKey(ID), value: JSON.stringify(volume) }],
      });
    await put(onB);
    expect(await api.call('DELETE', '/nodes/b')).toMatchObject({
      status: 409,
      json: { error: { code: 'not_empty', volumes: [ID] } },
    });
    expect(await api.call('DELETE', '/nodes/b', undefined, { 'if-match': '"1"' })).toMatchObject({
      status: 412,
    });
    expect(await api.spec('b')).toMatchObject({ draining: true });
    await put(readyVolume());
    expect(await api.call('DELETE', '/nodes/b')).toMatchObject({
      status: 200,
      json: { name: 'b', alive: false },
    });
    expect(await api.spec('b')).toBeNull();
    // Without it a disk that comes back would take the cluster for another one.
    expect((await api.kv.get(diskKey('b'))).kv).toBeDefined();
    expect(await api.call('GET', '/nodes/b')).toMatchObject({ status: 404 });
    expect(await api.call('DELETE', '/nodes/b')).toMatchObject({ status: 404 });
  });

  it('takes a capacity back that the engine has overtaken', async () => {
    await using api = await serve();
    const raced: Kv = {
      ...api.kv,
      transact: async (transaction) => {
        const late = readyVolume({ id: 'v0000000000000001', node: 'a' });
        await api.kv.transact({
          compare: [],
          writes: [{ kind: 'put', key: volumeKey(late.id), value: JSON.stringify(late) }],
        });
        return api.kv.transact(transaction);
      },
    };
    await using other = await startApi({ kv: raced });
    expect(await other.call('PUT', '/nodes/a', { capacity: 1 })).toMatchObject({
      status: 409,
      json: { error: { code: 'too_small', used_bytes: 2 ** 31 } },
    });
    expect(await api.spec('a')).toEqual(SPEC);
  });

  it('forgets a node that is lost, once its volumes are being deleted, which then end', async () => {
    await using cluster = await start({ a: { labels: { site: 'x' } }, b: { labels: { site: 'y' } } });
    const { call } = cluster.node('a');
    const order = { requested: { reserved_size: 1, constraints: { site: 'y' } } };
    const lost = [await cluster.create('a', order), await cluster.create('a', order)];
    const kept = await cluster.create('a');
    for (const role of ['agent', 'engine', 'api'] as const) await cluster.node('b').kill(role);
    await waitFor({
      clock,
      what: 'the node to be away',
      timeoutMs: 10_000,
      probe: async () => ((await call('GET', '/nodes/b')).json.alive ? undefined : true),
    });
    const refused = await call('DELETE', '/nodes/b');
    expect([refused.status, refused.json.error.code]).toEqual([409, 'not_empty']);
    expect(refused.json.error.volumes).toEqual(expect.arrayContaining(lost.map(({ id }) => id)));
    expect(refused.json.error.message).toContain('delete them');
    for (const id of refused.json.error.volumes)
      expect((await call('DELETE', `/volumes/${id}`)).status).toBe(202);
    expect(await call('DELETE', '/nodes/b')).toMatchObject({ status: 200, json: { name: 'b' } });
    for (const { id } of lost)
      await cluster.until(id, 'its key to be gone', (volume) => volume === undefined);
    const left = (await call('GET', '/nodes?alive=any')).json.nodes.map(({ name }: { name: string }) => name);
    expect(left).toEqual(['a']);
    if (!refused.json.error.volumes.includes(kept.id))
      expect((await cluster.volume(kept.id))?.state).toBe('ready');
    // It comes back after all: as a new one, whose disk holds what nobody knows any more.
    for (const role of ['agent', 'engine', 'api'] as const) await cluster.node('b').start(role);
    await waitFor({
      clock,
      what: 'the node to join again, without its old volumes',
      timeoutMs: 10_000,
      probe: async () =>
        (await call('GET', '/nodes/b')).json.alive && (await cluster.node('b').storage.list()).length === 0
          ? true
          : undefined,
    });
  });

  it('shows a real node that has gone as away, and it again when it is back', async () => {
    await using cluster = await start({ a: {} });
    const { call, stop, start: startRole } = cluster.node('a');
    await cluster.create('a');
    await stop('agent');
    expect(await call('GET', '/nodes/a')).toMatchObject({
      status: 200,
      json: { alive: false, capacity: 16, volumes: { count: 1, reserved: 1 } },
    });
    expect(await call('DELETE', '/nodes/a')).toMatchObject({ status: 409 });
    await startRole('agent');
    await waitFor({
      clock,
      what: 'the node to be alive again',
      timeoutMs: 5000,
      probe: async () => ((await call('GET', '/nodes/a')).json.alive ? true : undefined),
    });
  });
});
