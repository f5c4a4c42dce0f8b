// Changing a volume while others write, and while parts of the store can't be read.

import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { RigError } from '../../../../src/base/errors.ts';
import { createLog } from '../../../../src/base/log.ts';
import { createSystemRandom } from '../../../../src/base/random.ts';
import { waitFor } from '../../../../src/base/retry.ts';
import { createApiContext } from '../../../../src/daemon/api/api.ts';
import { callRoute } from '../../../../src/daemon/api/call.ts';
import type { ApiResponse } from '../../../../src/daemon/api/route.ts';
import { ROUTES } from '../../../../src/daemon/api/routes.ts';
import { nodeKey, volumeKey } from '../../../../src/kv/keys.ts';
import type { GetResult, Kv } from '../../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../../src/kv/memory.ts';
import { type Volume, volumeSchema } from '../../../../src/model/volume.ts';
import { pausable } from '../../../support/pausable-kv.ts';
import { ID, nodeOf, readyVolume } from '../../model/volumes.ts';

const clock = createSystemClock();
const random = createSystemRandom();
const log = createLog({ write: () => {}, nowMs: clock.nowMs, level: 'error', fields: {} });
const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const LARGER = { requested: { reserved_size: 2 } };

/** A ready volume on node a, in a store of its own. */
async function setUp() {
  const kv = createMemoryStore({ clock, random }).connect();
  const write = async (volume: Volume): Promise<void> => {
    await kv.transact({
      compare: [],
      writes: [{ kind: 'put', key: volumeKey(ID), value: JSON.stringify(volume) }],
    });
  };
  await kv.transact({
    compare: [],
    writes: [{ kind: 'put', key: nodeKey('a'), value: JSON.stringify(nodeOf('a')) }],
  });
  await write(readyVolume());
  const read = async (): Promise<Volume> =>
    volumeSchema.parse(JSON.parse((await kv.get(volumeKey(ID))).kv?.value ?? ''));
  return { kv, write, read };
}

async function call(kv: Kv, routeId: string, body: unknown): Promise<ApiResponse> {
  const route = ROUTES.find(({ id }) => id === routeId);
  if (route === undefined) throw new Error(`there is no route ${routeId}`);
  const context = createApiContext({ kv, clock, random, log, node: 'a' });
  return callRoute(context, route, { params: { id: ID }, body });
}

it.each<[string, (found: GetResult) => GetResult]>([
  [
    'unreachable',
    () => {
      throw new RigError('unavailable', 'etcd cannot be reached');
    },
  ],
  ['malformed', (found) => ({ ...found, ...(found.kv && { kv: { ...found.kv, value: '{}' } }) })],
])('answers 202 to a change that was committed although the node key is %s', async (_what, spoil) => {
  const { kv, read } = await setUp();
  const spoilt: Kv = {
    ...kv,
    get: async (key) => (key === nodeKey('a') ? spoil(await kv.get(key)) : kv.get(key)),
  };
  const answer = await call(spoilt, 'changeExports', { exports: [RULE] });
  expect(answer).toMatchObject({ status: 202, json: { exports: [RULE], mount: null } });
  expect((await read()).exports).toEqual([RULE]);
});

/** Begins the call, lets another writer write before its first transaction arrives, and lets it go on. */
async function overtaken(routeId: string, body: unknown, other: (volume: Volume) => Volume) {
  const { kv, write, read } = await setUp();
  const link = pausable(kv);
  link.pause(({ writes }) => writes.some(({ key }) => key === volumeKey(ID)));
  const answering = call(link, routeId, body);
  await waitFor({
    clock,
    what: 'the write to be on its way',
    timeoutMs: 1000,
    intervalMs: 1,
    probe: async () => (link.held > 0 ? true : undefined),
  });
  await write(other(await read()));
  link.resume();
  return { answer: await answering, volume: await read() };
}

it('does not overwrite what another has written since it read', async () => {
  const { answer, volume } = await overtaken('changeVolume', LARGER, (read) => ({
    ...read,
    exports: [RULE],
  }));
  expect(answer.status).toBe(409);
  expect(volume).toEqual(readyVolume({ exports: [RULE] }));
});

it('loses no change of exports to a change of size, nor the other way round', async () => {
  const { answer, volume } = await overtaken('changeExports', { exports: [RULE] }, (read) => ({
    ...read,
    state: 'pending',
    requested: { reserved_size: 2, constraints: {} },
  }));
  expect(answer.status).toBe(202);
  expect(volume).toMatchObject({ state: 'pending', requested: { reserved_size: 2 }, exports: [RULE] });
});

it('does not bring back a volume that was deleted since it read', async () => {
  const { answer, volume } = await overtaken('changeExports', { exports: [RULE] }, (read) => ({
    ...read,
    state: 'deleting',
  }));
  expect(answer.status).toBe(409);
  expect(volume.state).toBe('deleting');
});
