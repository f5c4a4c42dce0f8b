// Long lists page by page, and answers that a client has already.

import { expect, it } from '@jest/globals';
import { VOLUMES_PREFIX, volumeKey } from '../../src/kv/keys.ts';
import type { Kv } from '../../src/kv/kv.ts';
import type { Volume } from '../../src/model/volume.ts';
import { startApi } from '../support/api.ts';
import { ID, nodeOf, readyVolume, volumeOf } from '../unit/model/volumes.ts';
import { onEveryStore } from './suite.ts';

const idOf = (n: number): string => `v${n.toString(16).padStart(16, '0')}`;

/** As many volumes; every third is ready on node a, every second is called `even`. */
async function fill(kv: Kv, count: number): Promise<void> {
  const volumes = Array.from({ length: count }, (_, n): Volume => {
    const fields = { id: idOf(n), name: n % 2 === 0 ? 'even' : 'odd' };
    return n % 3 === 0 ? readyVolume(fields) : volumeOf(fields);
  });
  // etcd takes 128 writes in one transaction.
  for (let from = 0; from < count; from += 100) {
    await kv.transact({
      compare: [],
      writes: volumes
        .slice(from, from + 100)
        .map((volume) => ({ kind: 'put', key: volumeKey(volume.id), value: JSON.stringify(volume) })),
    });
  }
}

onEveryStore('the API', ({ backend }) => {
  async function serve(count: number) {
    const kv = backend().connect();
    await fill(kv, count);
    const api = await startApi({ kv });
    const page = async (query: string): Promise<{ ids: string[]; next: string | null }> => {
      const { json } = await api.call('GET', `/volumes${query}`);
      return { ids: json.volumes.map(({ id }: Volume) => id), next: json.next };
    };
    return {
      ...api,
      page,
      [Symbol.asyncDispose]: async () => {
        await api[Symbol.asyncDispose]();
        await kv.close();
      },
    };
  }

  it('gives every volume once, in order, whatever the size of a page', async () => {
    await using api = await serve(25);
    const expected = Array.from({ length: 25 }, (_, n) => idOf(n));
    for (const limit of [1, 7, 24, 25, 26, 1000]) {
      const seen: string[] = [];
      let pages = 0;
      for (let after: string | null = ''; after !== null; pages += 1) {
        const { ids, next } = await api.page(`?limit=${limit}${after === '' ? '' : `&after=${after}`}`);
        expect(ids.length).toBeLessThanOrEqual(limit);
        seen.push(...ids);
        after = next;
      }
      expect({ limit, seen, pages }).toEqual({ limit, seen: expected, pages: Math.ceil(25 / limit) });
    }
    expect(await api.page('')).toEqual({ ids: expected, next: null });
  });

  it('goes on after a volume that is there no more', async () => {
    await using api = await serve(5);
    const { next } = await api.page('?limit=2');
    await api.kv.transact({ compare: [], writes: [{ kind: 'delete', key: volumeKey(idOf(1)) }] });
    expect(await api.page(`?after=${next}`)).toEqual({ ids: [2, 3, 4].map(idOf), next: null });
  });

  it('picks by state, node and name, and pages through what it picked', async () => {
    await using api = await serve(20);
    expect((await api.page('?state=ready')).ids).toEqual([0, 3, 6, 9, 12, 15, 18].map(idOf));
    expect((await api.page('?node=a&name=even')).ids).toEqual([0, 6, 12, 18].map(idOf));
    expect(await api.page('?node=b')).toEqual({ ids: [], next: null });
    expect(await api.page('?state=ready&limit=3')).toEqual({ ids: [0, 3, 6].map(idOf), next: idOf(6) });
    expect(await api.page(`?state=ready&limit=4&after=${idOf(6)}`)).toEqual({
      ids: [9, 12, 15, 18].map(idOf),
      next: null,
    });
  });

  it('reads on over many keys that are not asked for, and never answers with more than a thousand', async () => {
    await using api = await serve(2100);
    const all = await api.page('');
    expect({ count: all.ids.length, next: all.next }).toEqual({ count: 1000, next: idOf(999) });
    expect(await api.page(`?state=ready&after=${idOf(2090)}`)).toEqual({
      ids: [2091, 2094, 2097].map(idOf),
      next: null,
    });
    expect((await api.page('?state=ready')).ids).toHaveLength(700);
    expect(await api.page('?name=other')).toEqual({ ids: [], next: null });
  }, 60_000);

  it('has 503 where the store is put back to a backup in the middle of a list', async () => {
    const kv = backend().connect();
    await fill(kv, 1100);
    // What has been read is of a revision that the store has yet to come to again.
    const putBack: Kv = {
      ...kv,
      list: (prefix, { revision, ...options } = {}) =>
        kv.list(prefix, { ...options, ...(revision !== undefined && { revision: revision + 1_000 }) }),
    };
    await using api = await startApi({ kv: putBack });
    const { status, json } = await api.call('GET', '/volumes?name=other');
    expect({ status, code: json.error.code }).toEqual({ status: 503, code: 'unavailable' });
    await kv.close();
  });

  it('refuses queries that it does not know', async () => {
    await using api = await serve(1);
    const bad = [
      'limit=0',
      'limit=1001',
      'limit=1e2',
      'limit=-1',
      'limit=',
      'limit=1&limit=2',
      'after=x',
      'state=gone',
    ];
    for (const query of [...bad, 'node=..%2f', 'name=%00', 'page=2', 'state[]=ready', '__proto__=1']) {
      const { status, json } = await api.call('GET', `/volumes?${query}`);
      expect({ query, status, code: json.error?.code }).toEqual({ query, status: 400, code: 'invalid' });
    }
    expect(await api.call('GET', `/volumes/${idOf(0)}?x=1`)).toMatchObject({ status: 400 });
  });

  it('spares a client what it has: If-None-Match', async () => {
    await using api = await serve(1);
    const path = `/volumes/${idOf(0)}`;
    const etag = (await api.call('GET', path)).headers.get('etag') ?? '';
    for (const known of [etag, `W/${etag}`, `"7", ${etag}`, '*']) {
      const answer = await api.call('GET', path, undefined, { 'if-none-match': known });
      expect({ known, status: answer.status, body: answer.json }).toEqual({ known, status: 304, body: '' });
      expect(answer.headers.get('etag')).toBe(etag);
    }
    for (const other of ['"1"', 'x', '']) {
      expect(await api.call('GET', path, undefined, { 'if-none-match': other })).toMatchObject({
        status: 200,
      });
    }
  });

  it("has another ETag for a volume whose node is away, which doesn't stand in a change's way", async () => {
    await using api = await serve(0);
    const write = (key: string, value: unknown) =>
      api.kv.transact({ compare: [], writes: [{ kind: 'put', key, value: JSON.stringify(value) }] });
    await write(volumeKey(ID), readyVolume());
    const away = await api.call('GET', `/volumes/${ID}`);
    await write('/cobalt/v1/nodes/a', nodeOf('a'));
    const back = await api.call('GET', `/volumes/${ID}`, undefined, {
      'if-none-match': away.headers.get('etag') ?? '',
    });
    expect(back).toMatchObject({ status: 200, json: { mount: { server: 'a' } } });
    const change = await api.call(
      'PUT',
      `/volumes/${ID}/exports`,
      { exports: [{ host: '::1', access: 'ro' }] },
      {
        'if-match': away.headers.get('etag') ?? '',
      },
    );
    expect(change.status).toBe(202);
    expect((await api.kv.list(VOLUMES_PREFIX)).kvs[0]?.value).toContain('::1');
  });
});
