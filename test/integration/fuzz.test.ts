// Random requests for every call of the API, by the hundred at a time. Whatever
// comes in, the answer is one that the description knows, never a 5xx but the 503
// of an etcd that is away, and etcd holds nothing afterwards that it may not.

import { Agent } from 'node:http';
import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createSystemRandom } from '../../src/base/random.ts';
import {
  clonesKey,
  nodeKey,
  ROOT,
  specKey,
  subscriptionKey,
  VOLUMES_PREFIX,
  volumeKey,
} from '../../src/kv/keys.ts';
import type { KeyValue, Kv } from '../../src/kv/kv.ts';
import { nodeSpecSchema } from '../../src/model/node.ts';
import { type Subscription, subscriptionSchema } from '../../src/model/subscription.ts';
import { illegality, VOLUME_STATES, type Volume, volumeSchema } from '../../src/model/volume.ts';
import { startApi } from '../support/api.ts';
import { wipe } from '../support/cluster.ts';
import { createConformance, type SeenAnswer } from '../support/conforming.ts';
import { arbitraryRequest, type FuzzRequest, sendRequest } from '../support/fuzz-requests.ts';
import { actualOf, nodeOf, T0, volumeOf } from '../unit/model/volumes.ts';
import { onEveryStore } from './suite.ts';

/** In the name of each test; FUZZ_SEED repeats a run. */
const SEED = Number(process.env.FUZZ_SEED ?? createSystemRandom().uint32() >>> 1);
const RUNS = 30;
const REQUESTS_AT_A_TIME = 60;

const complaintOf = createConformance();
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const SPEC = { volume_path: '/srv/cobalt', capacity: 10, labels: {}, draining: false };

/** One volume in each state, and one more that is ready: what there is before each run. */
const VOLUMES: readonly Volume[] = [...VOLUME_STATES, 'ready' as const].map((state, n) => {
  const isMade = state !== 'scheduling';
  const fields = { id: `v000000000000000${n.toString(16)}`, state, node: isMade ? 'a' : null };
  return volumeOf({ ...fields, actual: isMade ? actualOf() : null }, state === 'error' ? { error: 'x' } : {});
});
const NAMES = ['a', 'b', 'c'];
const SUBSCRIPTION: Subscription = {
  id: 's0123456789abcdef',
  url: 'http://10.0.0.1/told',
  volumes: null,
  secret: 'x'.repeat(64),
  created: T0,
  delivered: 0,
  dropped: 0,
  failing_since: null,
  last_error: null,
};
const BEFORE: Readonly<Record<string, unknown>> = {
  ...Object.fromEntries(VOLUMES.map((volume) => [volumeKey(volume.id), volume])),
  [nodeKey('a')]: nodeOf('a'),
  [nodeKey('b')]: nodeOf('b'),
  [subscriptionKey(SUBSCRIPTION.id)]: SUBSCRIPTION,
  ...Object.fromEntries(NAMES.map((name) => [specKey(name), SPEC])),
};

async function reset(kv: Kv): Promise<void> {
  await wipe(kv);
  await kv.transact({
    compare: [],
    writes: Object.entries(BEFORE).map(([key, value]) => ({
      kind: 'put',
      key,
      value: JSON.stringify(value),
    })),
  });
}

/** What is wrong with a key of the store; undefined when it may be there as it is. */
function wrongWith({ key, value }: KeyValue): string | undefined {
  const name = key.slice(ROOT.length);
  if (/^(version|cluster|secret)$|^nodes\/[ab]$/.test(name)) return undefined;
  if (/^subscriptions\/s[0-9a-f]{16}$/.test(name)) {
    return subscriptionSchema.safeParse(JSON.parse(value)).error?.message;
  }
  if (/^clones\/v[0-9a-f]{16}$/.test(name)) return key === clonesKey(name.slice(7)) ? undefined : key;
  if (/^specs\/[abc]$/.test(name)) return nodeSpecSchema.safeParse(JSON.parse(value)).error?.message;
  if (!key.startsWith(VOLUMES_PREFIX)) return `the key ${key}`;
  const after = volumeSchema.parse(JSON.parse(value));
  if (volumeKey(after.id) !== key) return `the id of ${key}`;
  const before = BEFORE[key] as Volume | undefined;
  // Several legal steps may lie between; none of the API's leads to another state than these.
  const mayBe = ['scheduling', 'pending', 'deleting', before?.state ?? 'pending'];
  return mayBe.includes(after.state) ? undefined : `${key}: ${illegality(before, after) ?? after.state}`;
}

const isWrong = (answer: SeenAnswer, mayBeAway: boolean): string | undefined =>
  answer.status >= 500 && !(mayBeAway && answer.status === 503)
    ? `${answer.method} ${answer.path}: ${answer.status} ${answer.text}`
    : complaintOf(answer);

const known = { volumes: VOLUMES.map(({ id }) => id), nodes: NAMES, subscriptions: [SUBSCRIPTION.id] };
const ORDER = JSON.stringify({ name: 'x', requested: { reserved_size: 1 } });
const batch = fc.array(arbitraryRequest(known), {
  minLength: REQUESTS_AT_A_TIME,
  maxLength: REQUESTS_AT_A_TIME,
  size: 'max',
});

onEveryStore('the API', ({ backend }) => {
  it(`takes any requests whatever (seed ${SEED})`, async () => {
    const kv = backend().connect();
    const usage = async () => ({ usedBytes: 2 ** 29 });
    await using api = await startApi({ kv, context: { usage } });
    const seen = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(batch, async (requests) => {
        await reset(kv);
        const answers = await Promise.all(requests.map((request) => sendRequest(api.port, request, agent)));
        for (const answer of answers) seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
        expect(answers.flatMap((answer) => isWrong(answer, false) ?? [])).toEqual([]);
        const { kvs } = await kv.list(ROOT);
        expect(kvs.flatMap((stored) => wrongWith(stored) ?? [])).toEqual([]);
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    expect(api.log.filter(({ level }) => level === 'error')).toEqual([]);
    // A fuzzer whose requests are all refused at the door sees nothing.
    for (const status of [200, 201, 202, 204, 304, 400, 404, 409, 412, 413, 415]) {
      expect({ status, seen: seen.has(status) }).toEqual({ status, seen: true });
    }
    await kv.close();
  });

  it(`answers any requests with 503, or refuses them, while etcd is away (seed ${SEED})`, async () => {
    const kv = backend().connect();
    await reset(kv);
    await using api = await startApi({ kv });
    await backend().stop();
    const requests = fc.sample(arbitraryRequest(known), { seed: SEED, numRuns: 300 });
    const wide = new Agent({ keepAlive: true });
    const answers = await Promise.all(requests.map((request) => sendRequest(api.port, request, wide)));
    await backend().start();
    expect(answers.flatMap((answer) => isWrong(answer, true) ?? [])).toEqual([]);
    expect(answers.some(({ status }) => status === 202)).toBe(false);
    expect(answers.filter(({ status }) => status === 503).length).toBeGreaterThan(100);
    await kv.close();
  });

  it('answers thousands of requests at once', async () => {
    const kv = backend().connect();
    await reset(kv);
    await using api = await startApi({ kv });
    const wide = new Agent({ keepAlive: true, maxSockets: 1000 });
    const requests = Array.from({ length: 2000 }, (_, n): FuzzRequest => {
      const order = { method: 'POST', headers: { 'content-type': 'application/json' }, body: ORDER };
      const read = { method: 'GET', headers: {}, body: undefined };
      const id = VOLUMES[1]?.id ?? '';
      const all = [
        { ...order, path: '/volumes' },
        { ...read, path: '/volumes?limit=10' },
        { ...read, path: `/volumes/${id}` },
        { ...read, path: '/readyz' },
      ];
      return all[n % all.length] ?? { ...read, path: '/' };
    });
    const answers = await Promise.all(requests.map((request) => sendRequest(api.port, request, wide)));
    // A busy machine may not have asked etcd in time; it then says so, and may have been heard nevertheless.
    expect(answers.flatMap((answer) => isWrong(answer, true) ?? [])).toEqual([]);
    const count = (...wanted: number[]) => answers.filter(({ status }) => wanted.includes(status)).length;
    expect(count(200, 202, 503)).toBe(answers.length);
    expect(count(200, 202)).toBeGreaterThan(0);
    // Whoever comes after the crowd has the API for himself.
    const path = `/volumes/${VOLUMES[1]?.id}`;
    const after = await sendRequest(api.port, { method: 'GET', path, headers: {}, body: undefined }, wide);
    wide.destroy();
    expect(after.status).toBe(200);
    const made = (await kv.list(VOLUMES_PREFIX)).kvs.length - VOLUMES.length;
    expect(made).toBeGreaterThanOrEqual(count(202));
    expect(made).toBeLessThanOrEqual(500);
    await kv.close();
  });
});

/** What comes back until the connection is closed. */
function talk(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve(received));
  });
}

it(`answers torn and random bytes with a refusal, or not at all (seed ${SEED})`, async () => {
  await using api = await startApi({ server: { requestTimeoutMs: 200 } });
  const head = `POST /volumes HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${ORDER.length}\r\n\r\n`;
  const whole = Buffer.from(head + ORDER);
  const torn = fc.nat(whole.length - 1).map((length) => new Uint8Array(whole.subarray(0, length)));
  const spoilt = fc.tuple(fc.nat(head.length - 1), fc.nat(255)).map(([at, byte]) => {
    // Cut, too: were the spoilt head a good one, this would be an order.
    const copy = new Uint8Array(whole.subarray(0, whole.length - 1));
    copy[at] = byte;
    return copy;
  });
  const bytes = fc.oneof(torn, spoilt, fc.uint8Array({ minLength: 1, maxLength: 200 }));
  const samples = fc.sample(bytes, { seed: SEED, numRuns: 400 });
  const answers = await Promise.all(samples.map((sample) => talk(api.port, sample)));
  const statuses = answers.flatMap((answer) =>
    [...answer.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status)),
  );
  expect(statuses.length).toBeGreaterThan(100);
  expect(statuses.filter((status) => status < 400 || status >= 500)).toEqual([]);
  expect((await api.kv.list(ROOT)).kvs.filter(({ key }) => key.startsWith(VOLUMES_PREFIX))).toEqual([]);
});
