// Whom an agent answers, and what it takes from whom.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { hasCode } from '../../../../../src/base/errors.ts';
import { createSeededRandom, hex } from '../../../../../src/base/random.ts';
import { peerHeaders } from '../../../../../src/daemon/peer-auth.ts';
import { createPeers } from '../../../../../src/daemon/peers.ts';
import { createSecret, ensureSecret } from '../../../../../src/daemon/secret.ts';
import { SECRET_KEY } from '../../../../../src/kv/keys.ts';
import type { Bytes, Network, NetworkRequest } from '../../../../../src/network/network.ts';
import { ID } from '../../../model/volumes.ts';
import { createScene, type Scene } from './support.ts';

const NAME = '00000000000000aa-0';
const random = createSeededRandom(11);

let scene: Scene;
let network: Network;
let secret: string;

beforeEach(async () => {
  scene = await createScene(['a', 'b']);
  network = scene.world.connect('elsewhere');
  secret = await ensureSecret({ kv: scene.kv, random });
});

/** As node `from` calls node b, unless told otherwise. */
async function call(
  method: NetworkRequest['method'],
  path: string,
  options: {
    readonly secret?: string;
    readonly from?: string;
    readonly to?: string;
    readonly body?: Bytes;
    readonly headers?: Record<string, string>;
  } = {},
) {
  const { from = 'a', to = 'b', body } = options;
  const nonce = hex(random, 32);
  const headers = peerHeaders({ method, path, from, to }, { secret: options.secret ?? secret, nonce });
  return network.call({
    ...{ method, url: `http://b:7000${path}`, timeoutMs: 1000 },
    headers: { ...headers, ...options.headers },
    ...(body === undefined ? {} : { body }),
  });
}

async function* stream(...texts: readonly string[]): Bytes {
  for (const text of texts) yield new TextEncoder().encode(text);
}

/** Everything that a copy of the volume on node a makes, as its disk sends it. */
async function frozen(name: string): Promise<Bytes> {
  const { disk } = scene.place('a');
  const { createMemoryStorage } = await import('../../../../../src/storage/memory.ts');
  const storage = createMemoryStorage({ clock: scene.clock, disk });
  await storage.freeze({ id: ID, name });
  return storage.send({ id: ID, name });
}

describe('the secret', () => {
  it('is made once, by whoever comes first', async () => {
    const { kv } = scene;
    await kv.transact({ compare: [], writes: [{ kind: 'delete', key: SECRET_KEY }] });
    const made = await Promise.all(
      [1, 2, 3].map((seed) => ensureSecret({ kv, random: createSeededRandom(seed) })),
    );
    expect(new Set(made).size).toBe(1);
    expect(made[0]).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is refused when somebody has mangled it, without being told', async () => {
    const { kv } = scene;
    await kv.transact({ compare: [], writes: [{ kind: 'put', key: SECRET_KEY, value: 'hunter2' }] });
    const thrown = await createSecret({ kv, random })
      .get()
      .catch((error: unknown) => error);
    expect(hasCode(thrown, 'invalid')).toBe(true);
    expect(String(thrown)).not.toContain('hunter2');
  });
});

describe('an agent', () => {
  it('makes no secret for a stranger', async () => {
    const { kv } = scene;
    await kv.transact({ compare: [], writes: [{ kind: 'delete', key: SECRET_KEY }] });
    expect((await call('GET', `/volumes/${ID}`)).status).toBe(401);
    expect((await kv.get(SECRET_KEY)).kv).toBeUndefined();
  });

  it('answers a node of its cluster', async () => {
    await scene.create('b', {});
    expect(await call('GET', `/volumes/${ID}`)).toMatchObject({ status: 200 });
    expect(await call('GET', `/copies/${ID}`)).toMatchObject({ status: 200, body: '{"names":[]}' });
  });

  it('refuses whoever does not know the secret', async () => {
    expect((await call('GET', `/volumes/${ID}`, { secret: '0'.repeat(64) })).status).toBe(401);
    expect((await call('GET', `/volumes/${ID}`, { headers: { authorization: '' } })).status).toBe(401);
    expect((await call('GET', `/volumes/${ID}`, { headers: { authorization: 'Bearer x' } })).status).toBe(
      401,
    );
  });

  it.each([
    ['another caller', { 'cobalt-from': 'c' }],
    ['another receiver', { 'cobalt-to': 'c' }],
  ])('refuses a call that was made for %s', async (_what, headers) => {
    expect((await call('GET', `/volumes/${ID}`, { headers })).status).toBe(401);
  });

  it('refuses a proof that was given for another call', async () => {
    const headers = {
      ...peerHeaders(
        { method: 'GET', path: `/volumes/${ID}`, from: 'a', to: 'b' },
        { secret, nonce: hex(random, 32) },
      ),
    };
    for (const [method, path] of [
      ['DELETE', `/copies/${ID}/${NAME}`],
      ['GET', `/copies/${ID}`],
    ] as const) {
      expect((await call(method, path, { headers })).status).toBe(401);
    }
  });

  it('refuses what is meant for another node', async () => {
    expect((await call('GET', `/volumes/${ID}`, { to: 'c' })).status).toBe(421);
  });

  it('goes by the secret that the cluster has now', async () => {
    const { kv, clock } = scene;
    expect((await call('GET', `/copies/${ID}`)).status).toBe(200);
    const changed = 'ab'.repeat(32);
    await kv.transact({ compare: [], writes: [{ kind: 'put', key: SECRET_KEY, value: changed }] });
    await clock.advance(2000);
    expect((await call('GET', `/copies/${ID}`, { secret: changed })).status).toBe(200);
    expect((await call('GET', `/copies/${ID}`)).status).toBe(401);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/volumes/../../etc/passwd'],
    ['GET', `/volumes/${ID}/`],
    ['GET', `/volumes/${ID.toUpperCase()}`],
    ['DELETE', `/volumes/${ID}`],
    ['GET', `/volumes/${ID}/${NAME}`],
    ['PUT', `/copies/${ID}`],
    ['PUT', `/copies/${ID}/..`],
    ['PUT', `/copies/${ID}/${NAME}?base=../x`],
    ['PUT', `/copies/${ID}/${NAME}?base=${NAME}&base=${NAME}`],
    ['GET', `/copies/${ID}?base=${NAME}`],
    ['PUT', `/copies/${ID}/${NAME}/digest`],
    ['GET', `/copies/${ID}/%2e%2e/digest`],
  ] as const)('refuses %s %s', async (method, path) => {
    // The network's own reading of a URL would tidy it up.
    const handler = scene.place('b').mover().handler;
    const headers = peerHeaders({ method, path, from: 'a', to: 'b' }, { secret, nonce: hex(random, 32) });
    const { signal } = new AbortController();
    expect((await handler({ method, path, headers, body: stream(), signal })).status).toBe(400);
  });

  it('does not have what it does not have', async () => {
    expect((await call('GET', `/volumes/${ID}`)).status).toBe(404);
    expect((await call('GET', `/copies/${ID}/${NAME}/digest`)).status).toBe(404);
  });

  it('takes a copy only of a volume that is on its way from the caller to it', async () => {
    await scene.create('a', { file: 'text' });
    const path = `/copies/${ID}/${NAME}`;
    const body = await frozen(NAME);
    expect((await call('PUT', path, { body })).status).toBe(409);
    scene.world.cut('a', 'b');
    await scene.move('b');
    expect((await call('PUT', path, { from: 'c', body: await frozen(NAME) })).status).toBe(409);
    expect((await call('PUT', `${path}?base=00000000000000aa-7`, { body: await frozen(NAME) })).status).toBe(
      409,
    );
    expect(scene.place('b').copies()).toEqual([]);
    expect((await call('PUT', path, { body: await frozen(NAME) })).status).toBe(200);
    expect(scene.place('b').copies()).toEqual([NAME]);
    expect((await call('DELETE', path, { from: 'c' })).status).toBe(409);
    expect((await call('DELETE', path)).status).toBe(204);
    expect(scene.place('b').copies()).toEqual([]);
  });

  it('takes nothing any more of an attempt that died, once the volume is its own', async () => {
    await scene.create('a', { file: 'text' });
    await scene.move('b');
    await scene.until('the handover', async () => (await scene.read())?.node === 'b');
    const late = await call('PUT', `/copies/${ID}/${NAME}`, { body: stream('late') });
    expect(late.status).toBe(409);
    await scene.until('the end of it', async () => (await scene.read())?.state === 'ready');
    expect((await call('PUT', `/copies/${ID}/${NAME}`, { body: stream('late') })).status).toBe(409);
    expect(scene.place('b').files()).toEqual({ file: 'text' });
  });

  it('lets go of a stream when a newer one of the volume comes', async () => {
    await scene.create('a', { file: 'text' });
    scene.world.cut('a', 'b');
    await scene.move('b');
    const stuck = async function* (): Bytes {
      yield new TextEncoder().encode('{"begin":');
      await new Promise<never>(() => {});
    };
    const old = call('PUT', `/copies/${ID}/${NAME}`, { body: stuck() });
    await scene.clock.settle();
    const name = '00000000000000ab-0';
    expect((await call('PUT', `/copies/${ID}/${name}`, { body: await frozen(name) })).status).toBe(200);
    expect((await old).status).toBe(503);
    expect(scene.place('b').copies()).toEqual([name]);
  });

  it('does not discard the copy from which it has yet to make the volume', async () => {
    await scene.create('a', { file: 'text' });
    scene.place('b').hooks.storage = (storage) => ({
      ...storage,
      adopt: () => new Promise<never>(() => {}),
    });
    scene.place('b').kill();
    await scene.place('b').start();
    await scene.move('b');
    await scene.until('the handover', async () => (await scene.read())?.node === 'b');
    const task = (await scene.read())?.control.task;
    if (task?.kind !== 'move' || task.copy === null) throw new Error('there is no copy');
    // Its turn is taken by the job that hangs, so this would wait for it; the rule is the sweep's, too.
    for (let passes = 0; passes < 4; passes += 1) {
      await scene.place('b').pass();
      await scene.clock.advance(2000);
    }
    expect(scene.place('b').copies()).toContain(task.copy);
    expect(scene.place('a').files()).toEqual({ file: 'text' });
  });
});

describe('a caller', () => {
  it('learns how much a volume holds, or that the node has none or is not there', async () => {
    const { kv } = scene;
    await scene.create('b', {});
    const peers = createPeers({ kv, network, random, secret: createSecret({ kv, random }), node: 'a' });
    expect(await peers.usage('b', ID)).toMatchObject({ usedBytes: 1000 });
    expect(await peers.usage('b', 'v00000000000000ff')).toBeUndefined();
    for (const node of ['nowhere', 'a']) {
      scene.world.cut('elsewhere', 'a');
      const thrown = await peers.usage(node, ID).catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code: 'unavailable' });
    }
  });

  it('asks for the secret again when it does not fit any more', async () => {
    const { kv, clock } = scene;
    const peers = createPeers({ kv, network, random, secret: createSecret({ kv, random }), node: 'a' });
    expect(await peers.copies('b', ID)).toEqual([]);
    await kv.transact({ compare: [], writes: [{ kind: 'put', key: SECRET_KEY, value: 'cd'.repeat(32) }] });
    // The other side finds out first.
    await call('GET', `/copies/${ID}`, { secret: 'cd'.repeat(32) });
    await clock.advance(2000);
    expect(await peers.copies('b', ID)).toEqual([]);
  });
});
