// Every call of the API, in good and bad forms, and what becomes of it in etcd.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { ROUTES } from '../../src/daemon/api/routes.ts';
import { VOLUMES_PREFIX, volumeKey } from '../../src/kv/keys.ts';
import { ROLES } from '../../src/model/volume.ts';
import { clock } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' };
const ORDER = { name: 'data', requested: { reserved_size: 1 } };
const UNKNOWN = 'vffffffffffffffff';

onEveryStore('the API', ({ start, backend }) => {
  it('takes an order: 202, Location, ETag, and the volume in etcd', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const answer = await cluster.node('a').call('POST', '/volumes', {
      ...ORDER,
      meta: { owner: 'me' },
      exports: [{ host: '10.0.0.0/8', access: 'ro' }],
    });
    expect(answer.status).toBe(202);
    const { id } = answer.json;
    expect(id).toMatch(/^v[0-9a-f]{16}$/);
    expect(answer.headers.get('location')).toBe(`/volumes/${id}`);
    const { kv } = await cluster.kv.get(volumeKey(id));
    expect(answer.headers.get('etag')).toBe(`"${kv?.modRevision}"`);
    const { mount, ...volume } = answer.json;
    expect(mount).toBeNull();
    expect(JSON.parse(kv?.value ?? '')).toEqual(volume);
    expect(volume).toMatchObject({
      state: 'scheduling',
      meta: { owner: 'me' },
      requested: { reserved_size: 1, constraints: {} },
      exports: [{ host: '10.0.0.0/8', access: 'ro', squash: 'none' }],
      control: { writer: { role: 'api', node: 'a', term: null } },
    });
    const got = await cluster.node('a').call('GET', `/volumes/${id}`);
    expect(got.json).toEqual(answer.json);
    expect(got.headers.get('etag')).toBe(answer.headers.get('etag'));
    expect((await cluster.node('a').call('GET', '/volumes')).json).toEqual({
      volumes: [answer.json],
      next: null,
    });
  });

  it('refuses bad orders with the path of each bad field, and writes nothing', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const bad: readonly (readonly [unknown, string])[] = [
      [{ ...ORDER, name: '../../etc/passwd' }, 'name'],
      [{ ...ORDER, name: 'x'.repeat(64) }, 'name'],
      [{ ...ORDER, name: 'naïve' }, 'name'],
      [{ ...ORDER, name: 'a\u0000b' }, 'name'],
      [{ name: 'data' }, 'requested'],
      [{ ...ORDER, requested: { reserved_size: 0 } }, 'requested.reserved_size'],
      [{ ...ORDER, requested: { reserved_size: -1 } }, 'requested.reserved_size'],
      [{ ...ORDER, requested: { reserved_size: 1e9 } }, 'requested.reserved_size'],
      [{ ...ORDER, requested: { reserved_size: '1' } }, 'requested.reserved_size'],
      [{ ...ORDER, requested: { reserved_size: null } }, 'requested.reserved_size'],
      [
        { ...ORDER, requested: { reserved_size: 1, constraints: { 'A;B': 'x' } } },
        'requested.constraints.A;B',
      ],
      [{ ...ORDER, exports: [{ host: 'example.com', access: 'rw' }] }, 'exports.0.host'],
      [{ ...ORDER, exports: [{ host: '10.0.0.1; }', access: 'rw' }] }, 'exports.0.host'],
      [{ ...ORDER, exports: [{ host: '10.0.0.1', access: 'all' }] }, 'exports.0.access'],
      [{ ...ORDER, exports: [RULE, RULE] }, 'exports'],
      [{ ...ORDER, id: '../x' }, 'id'],
      [{ ...ORDER, id: null }, 'id'],
      [{ ...ORDER, sise: 1 }, 'sise'],
      [{ ...ORDER, requested: { reserved_size: 1, speed: 9 } }, 'requested.speed'],
      [[], ''],
      [null, ''],
    ];
    for (const [body, path] of bad) {
      const { status, json } = await cluster.node('a').call('POST', '/volumes', JSON.stringify(body));
      expect({
        body,
        status,
        paths: json.error.fields?.map((field: { path: string }) => field.path),
      }).toEqual({
        body,
        status: 400,
        paths: [path],
      });
    }
    expect((await cluster.kv.list(VOLUMES_PREFIX)).kvs).toEqual([]);
  });

  it('takes a body that is announced and not sent as none', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    const headers = { 'content-type': 'application/json' };
    expect(await call('DELETE', `/volumes/${UNKNOWN}`, undefined, headers)).toMatchObject({ status: 404 });
    expect(await call('POST', `/volumes/${UNKNOWN}/move`, '', headers)).toMatchObject({ status: 404 });
    // A call that wants one says so in its own words.
    expect(await call('POST', '/volumes', '', headers)).toMatchObject({
      status: 400,
      json: { error: { code: 'invalid' } },
    });
  });

  it('refuses what is not JSON, not announced as JSON, or too large', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    expect(await call('POST', '/volumes', '{"name":')).toMatchObject({
      status: 400,
      json: { error: { code: 'malformed' } },
    });
    expect(await call('POST', '/volumes', '{"__proto__":{"a":1}}')).toMatchObject({ status: 400 });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
      const { status, json } = await call('POST', '/volumes', JSON.stringify(ORDER), {
        'content-type': type,
      });
      expect({ type, status, code: json.error.code }).toEqual({
        type,
        status: 415,
        code: 'unsupported_media_type',
      });
    }
    expect(await call('POST', '/volumes')).toMatchObject({ status: 400 });
    const large = JSON.stringify({ ...ORDER, name: 'x'.repeat(65 * 1024) });
    expect(await call('POST', '/volumes', large)).toMatchObject({
      status: 413,
      json: { error: { code: 'too_large' } },
    });
    expect((await cluster.kv.list(VOLUMES_PREFIX)).kvs).toEqual([]);
  });

  it('answers unknown calls, volumes and nodes with 404, and impossible ids with 400', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    for (const path of ['/', '/volume', '/volumes/', '/nodes/a/b']) {
      expect(await call('GET', path)).toMatchObject({
        status: path === '/volumes/' ? 400 : 404,
        json: { error: {} },
      });
    }
    for (const method of ['PATCH', 'OPTIONS']) {
      const wrong = await call(method, '/volumes');
      expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    }
    const head = await fetch(`${cluster.node('a').url}/volumes/${UNKNOWN}/exports?x`, { method: 'HEAD' });
    expect([head.status, head.headers.get('allow')]).toEqual([405, 'PUT']);
    expect(await call('OPTIONS', '/volume')).toMatchObject({ status: 404 });
    expect(await call('GET', '/nodes/nobody')).toMatchObject({
      status: 404,
      json: { error: { code: 'not_found' } },
    });
    const bodies = { GET: undefined, DELETE: undefined, PUT: { requested: { reserved_size: 1 } } };
    for (const [method, body] of Object.entries(bodies)) {
      expect(await call(method, `/volumes/${UNKNOWN}`, body)).toMatchObject({ status: 404 });
      for (const id of ['x', '..%2F..%2Fetc', 'V0123456789abcdef', `${UNKNOWN}0`, '%00', 'v'.repeat(2000)]) {
        const { status } = await call(method, `/volumes/${id}`, body);
        expect({ method, id, refused: status === 400 || status === 404 || status === 414 }).toEqual({
          method,
          id,
          refused: true,
        });
      }
    }
    expect(await call('GET', '/volumes/x')).toMatchObject({
      status: 400,
      json: { error: { fields: [{ path: 'id' }] } },
    });
    expect(await call('PUT', `/volumes/${UNKNOWN}/exports`, { exports: [] })).toMatchObject({ status: 404 });
    expect(await call('GET', '/volumes/%zz')).toMatchObject({
      status: 400,
      json: { error: { code: 'malformed' } },
    });
  });

  it('answers HEAD as GET, without a body', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call, url } = cluster.node('a');
    const { json } = await call('POST', '/volumes', ORDER);
    for (const path of [
      `/volumes/${json.id}`,
      `/volumes/${UNKNOWN}`,
      '/volumes',
      '/volumes/x',
      '/healthz',
      '/events',
    ]) {
      const answers = await Promise.all(
        ['HEAD', 'GET'].map(async (method) => {
          const over = new AbortController();
          const { status, headers, body } = await fetch(`${url}${path}`, { method, signal: over.signal });
          const isEmpty = body === null;
          over.abort();
          return { status, type: headers.get('content-type'), etag: headers.get('etag'), isEmpty };
        }),
      );
      const [head, get] = answers;
      expect({ path, ...head }).toEqual({ path, ...get, isEmpty: true });
    }
  });

  it('refuses an If-Match that is no list of entity tags', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    const { json, headers } = await call('POST', '/volumes', ORDER);
    const path = `/volumes/${json.id}/exports`;
    const change = async (ifMatch: string) =>
      (await call('PUT', path, { exports: [RULE] }, { 'if-match': ifMatch })).status;
    for (const bad of ['7', '"7', '7"', 'W/7', '"7" "8"', '*, "7"', 'w/"7"']) {
      expect([bad, await change(bad)]).toEqual([bad, 400]);
    }
    const etag = headers.get('etag') ?? '';
    // A weak tag is one, and never the same (RFC 9110, 13.1.1).
    for (const stale of ['"0"', '"0",', '""', 'W/"7"', `W/${etag}`, '"0" , "x y"']) {
      expect([stale, await change(stale)]).toEqual([stale, stale === '"0" , "x y"' ? 400 : 412]);
    }
    expect(await change(`"0",${etag}`)).toBe(202);
    expect(await change('*')).toBe(304);
    expect(await call('PUT', '/nodes/a', { draining: true }, { 'if-match': '1' })).toMatchObject({
      status: 400,
      json: { error: { fields: [{ path: 'If-Match' }] } },
    });
  });

  it('changes a ready volume, and nothing else', async () => {
    await using cluster = await start({ a: {} });
    const { call } = cluster.node('a');
    const { id } = await cluster.create('a');
    const asked = (reserved_size: number) => ({ requested: { reserved_size, constraints: {} } });
    const etag = (await call('GET', `/volumes/${id}`)).headers.get('etag') ?? '';
    const same = await call('PUT', `/volumes/${id}`, asked(1));
    expect(same).toMatchObject({ status: 304, json: '' });
    expect(same.headers.get('etag')).toBe(etag);
    expect(await call('PUT', `/volumes/${id}`, asked(2), { 'if-match': '"1"' })).toMatchObject({
      status: 412,
    });
    const changed = await call('PUT', `/volumes/${id}`, asked(2), { 'if-match': etag });
    expect(changed).toMatchObject({
      status: 202,
      json: { state: 'pending', requested: { reserved_size: 2 } },
    });
    await cluster.until(
      id,
      'the new size',
      (volume) => volume?.state === 'ready' && volume.actual?.reserved_size === 2,
    );
    expect(await call('PUT', `/volumes/${id}`, { ...asked(2), name: 'x' })).toMatchObject({ status: 400 });
    await cluster.node('a').stop('engine');
    expect(await call('PUT', `/volumes/${id}`, asked(3))).toMatchObject({ status: 202 });
    expect(await call('PUT', `/volumes/${id}`, asked(4))).toMatchObject({
      status: 409,
      json: { error: { code: 'conflict' } },
    });
    expect(await cluster.volume(id)).toMatchObject({ state: 'pending', requested: { reserved_size: 3 } });
  });

  it('changes exports in every state but deleting', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    const { json } = await call('POST', '/volumes', ORDER);
    const path = `/volumes/${json.id}/exports`;
    expect(await call('PUT', path, { exports: [RULE] })).toMatchObject({
      status: 202,
      json: { exports: [RULE] },
    });
    expect(await call('PUT', path, { exports: [RULE] })).toMatchObject({ status: 304 });
    expect(await call('PUT', path, { exports: [{ ...RULE, host: 'any' }] })).toMatchObject({
      status: 400,
      json: { error: { fields: [{ path: 'exports.0.host' }] } },
    });
    const { kv } = await cluster.kv.get(volumeKey(json.id));
    const doomed = { ...JSON.parse(kv?.value ?? ''), state: 'deleting' };
    await cluster.kv.transact({
      compare: [],
      writes: [{ kind: 'put', key: volumeKey(json.id), value: JSON.stringify(doomed) }],
    });
    expect(await call('PUT', path, { exports: [] })).toMatchObject({ status: 409 });
    expect((await cluster.volume(json.id))?.exports).toEqual([RULE]);
  });

  it('loses neither a change of exports nor one of size when both are made at once', async () => {
    await using cluster = await start({ a: {} });
    const { call, stop } = cluster.node('a');
    const ids = await Promise.all(Array.from({ length: 8 }, async () => (await cluster.create('a')).id));
    for (const role of ['engine', 'agent'] as const) await stop(role);
    await Promise.all(
      ids.map(async (id) => {
        const [exported, resized] = await Promise.all([
          call('PUT', `/volumes/${id}/exports`, { exports: [RULE] }),
          call('PUT', `/volumes/${id}`, { requested: { reserved_size: 2 } }),
        ]);
        expect(exported.status).toBe(202);
        expect([202, 409]).toContain(resized.status);
        const reserved_size = resized.status === 202 ? 2 : 1;
        expect(await cluster.volume(id)).toMatchObject({ exports: [RULE], requested: { reserved_size } });
      }),
    );
  });

  it('deletes a ready volume once', async () => {
    await using cluster = await start({ a: {} });
    const { call } = cluster.node('a');
    const { id } = await cluster.create('a');
    await cluster.node('a').stop('agent');
    expect(await call('DELETE', `/volumes/${id}`)).toMatchObject({
      status: 202,
      json: { state: 'deleting' },
    });
    expect(await call('DELETE', `/volumes/${id}`)).toMatchObject({ status: 409 });
    await cluster.node('a').start('agent');
    await cluster.until(id, 'its key to be gone', (volume) => volume === undefined);
    expect(await call('DELETE', `/volumes/${id}`)).toMatchObject({ status: 404 });
  });

  it('does not delete a volume that nobody has placed yet', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { json } = await cluster.node('a').call('POST', '/volumes', ORDER);
    expect(await cluster.node('a').call('DELETE', `/volumes/${json.id}`)).toMatchObject({ status: 409 });
    expect((await cluster.volume(json.id))?.state).toBe('scheduling');
  });

  it('shows nodes, and where to mount what is on them', async () => {
    await using cluster = await start({ a: { labels: { disk: 'ssd' } } });
    const { call } = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    expect((await call('GET', `/volumes/${id}`)).json.mount).toEqual({
      server: 'a.test',
      path: `/${id}`,
      options: 'vers=4.1',
    });
    const { json } = await call('GET', '/nodes');
    expect(json.nodes).toMatchObject([
      { name: 'a', labels: { disk: 'ssd' }, capacity: 16, roles: [...ROLES] },
    ]);
    expect((await call('GET', '/nodes/a')).json).toEqual(json.nodes[0]);
    await cluster.node('a').stop('agent');
    expect((await call('GET', '/nodes')).json.nodes).toEqual([]);
    expect((await call('GET', `/volumes/${id}`)).json.mount).toBeNull();
  });

  it('describes and measures itself', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    expect(await call('GET', '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } });
    expect(await call('GET', '/readyz')).toMatchObject({ status: 200 });
    expect(await call('GET', '/openapi.json')).toMatchObject({ status: 200, json: { openapi: '3.1.0' } });
    const metrics = await call('GET', '/metrics');
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/);
    expect(metrics.json).toMatch(
      /cobalt_api_requests_total\{method="GET",route="\/readyz",status="200",node="a"\} 1/,
    );
    expect(metrics.json).toMatch(/cobalt_etcd_reachable\{node="a"\} 1/);
    expect(metrics.json).toMatch(/cobalt_volumes\{state="ready",node="a"\} 0/);
  });

  it('leaves a malformed stored volume out of the list, and fails only the call for it', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { json } = await cluster.node('a').call('POST', '/volumes', ORDER);
    await cluster.kv.transact({
      compare: [],
      writes: [{ kind: 'put', key: volumeKey(UNKNOWN), value: '{"id":' }],
    });
    expect((await cluster.node('a').call('GET', '/volumes')).json.volumes).toEqual([json]);
    expect(await cluster.node('a').call('GET', `/volumes/${UNKNOWN}`)).toMatchObject({
      status: 500,
      json: { error: { code: 'internal' } },
    });
  });

  it('answers 503 within 2 s while etcd is away, and 200 again when it is back', async () => {
    await using cluster = await start({ a: { roles: ['api'] } });
    const { call } = cluster.node('a');
    const { json } = await call('POST', '/volumes', ORDER);
    await backend().stop();
    const bodies: Readonly<Record<string, unknown>> = {
      createVolume: ORDER,
      changeVolume: { requested: { reserved_size: 2 } },
      changeExports: { exports: [RULE] },
      compressVolume: { algorithm: 'lzo' },
      changeNode: { draining: true },
      createSubscription: { url: 'http://127.0.0.1:9/x' },
    };
    for (const route of ROUTES) {
      const id = route.path.startsWith('/subscriptions') ? 's0123456789abcdef' : json.id;
      const path = route.path.replace(':id', id).replace(':name', 'a');
      const answer = await call(route.method, path, bodies[route.id]);
      expect({ path, status: answer.status, quick: answer.ms < 2000 }).toEqual({
        path,
        status: route.local === true ? 200 : 503,
        quick: true,
      });
      if (route.local === true) continue;
      expect(answer.json.error.code).toBe('unavailable');
      // Only what changes something leaves open whether it has.
      if (route.method === 'GET') expect(answer.json.error.message).not.toContain('may or may not');
    }
    await backend().start();
    const answer = await waitFor({
      clock,
      what: 'an answer that is not a 503',
      timeoutMs: 10_000,
      intervalMs: 10,
      probe: async () => {
        const latest = await call('GET', `/volumes/${json.id}`);
        return latest.status === 503 ? undefined : latest;
      },
    });
    expect(answer).toMatchObject({ status: 200, json });
  });
});
