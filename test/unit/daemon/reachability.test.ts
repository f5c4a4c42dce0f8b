// Whether etcd answers, and what a refusal means before and after the first answer.

import { expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import { createLog, type LogLine } from '../../../src/base/log.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import { createApiContext } from '../../../src/daemon/api/api.ts';
import { callRoute } from '../../../src/daemon/api/call.ts';
import { ROUTES } from '../../../src/daemon/api/routes.ts';
import { joinWhenReachable } from '../../../src/daemon/cluster.ts';
import { createEngine } from '../../../src/daemon/engine/engine.ts';
import { observeReachability } from '../../../src/daemon/reachability.ts';
import { LEADER_KEY, VERSION_KEY } from '../../../src/kv/keys.ts';
import type { Kv } from '../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const random = createSeededRandom(1);

/** A store that may refuse whoever asks, as an etcd does whose users were changed. */
function setUp() {
  const clock = createManualClock();
  const store = createMemoryStore({ clock });
  const kv = store.connect();
  const lines: LogLine[] = [];
  const log = createLog({ write: (line) => void lines.push(JSON.parse(line)), nowMs: clock.nowMs });
  const state = { refuses: false };
  const orRefused = <T>(call: () => Promise<T>): Promise<T> =>
    state.refuses ? Promise.reject(new RigError('unsupported', 'authentication failed')) : call();
  const strict: Kv = {
    ...kv,
    get: (key) => orRefused(() => kv.get(key)),
    list: (prefix, options) => orRefused(() => kv.list(prefix, options)),
    transact: (transaction) => orRefused(() => kv.transact(transaction)),
    grantLease: (ttlSeconds) => orRefused(() => kv.grantLease(ttlSeconds)),
    keepLeaseAlive: (lease) => orRefused(() => kv.keepLeaseAlive(lease)),
    watch: async function* (options) {
      if (state.refuses) throw new RigError('unsupported', 'authentication failed');
      yield* kv.watch(options);
    },
  };
  return { clock, random, log, lines, state, store: kv, kv: observeReachability(strict, log) };
}

it('a store that refuses from the start is a mistake', async () => {
  const world = setUp();
  world.state.refuses = true;
  const signal = new AbortController().signal;
  await expect(joinWhenReachable({ ...world, signal })).rejects.toMatchObject({ code: 'unsupported' });
});

it('a store that refuses after it has answered is away, and says so once', async () => {
  const world = setUp();
  await world.kv.get(VERSION_KEY);
  world.state.refuses = true;
  const away = { code: 'unavailable', definite: true, cause: { code: 'unsupported' } };
  await expect(world.kv.get(VERSION_KEY)).rejects.toMatchObject(away);
  const watch = world.kv.watch({
    prefix: VERSION_KEY,
    fromRevision: 1,
    signal: new AbortController().signal,
  });
  await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject(away);
  world.state.refuses = false;
  await world.kv.get(VERSION_KEY);
  expect(world.lines.map(({ event }) => event)).toEqual(['etcd.reached', 'etcd.unreachable', 'etcd.reached']);
});

it('an engine lives through it and leads again', async () => {
  const world = setUp();
  const signal = new AbortController().signal;
  await joinWhenReachable({ ...world, signal });
  const stop = new AbortController();
  let over = false;
  const engine = createEngine({ ...world, node: 'a', leaseTtlSeconds: 5 });
  const done = engine.run(stop.signal).finally(() => {
    over = true;
  });
  await world.clock.advance(1000);
  const first = (await world.store.get(LEADER_KEY)).kv;
  expect(first).toBeDefined();
  world.state.refuses = true;
  await world.clock.advance(60_000);
  expect([over, (await world.store.get(LEADER_KEY)).kv]).toEqual([false, undefined]);
  world.state.refuses = false;
  await world.clock.advance(2000);
  expect((await world.store.get(LEADER_KEY)).kv?.createRevision).toBeGreaterThan(first?.createRevision ?? 0);
  stop.abort();
  await world.clock.advance(2000);
  await done;
});

it.each([true, false])('the API answers 503 in words of its own (joined before: %s)', async (joined) => {
  const world = setUp();
  const context = createApiContext({ ...world, node: 'a' });
  const route = ROUTES.find(({ id }) => id === 'listVolumes');
  if (route === undefined) throw new Error('there is no such route');
  if (joined) expect((await callRoute(context, route, {})).status).toBe(200);
  world.state.refuses = true;
  expect(await callRoute(context, route, {})).toMatchObject({
    status: 503,
    json: { error: { code: 'unavailable', message: expect.stringContaining('refuses this node') } },
  });
});
