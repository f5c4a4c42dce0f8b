// What a leader does beside planning: whatever becomes of it, the plans go on.

import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { createLog, type LogLine } from '../../../../src/base/log.ts';
import { createSystemRandom } from '../../../../src/base/random.ts';
import { waitFor } from '../../../../src/base/retry.ts';
import { CLUSTER_VERSION } from '../../../../src/daemon/cluster.ts';
import { createEngine } from '../../../../src/daemon/engine/engine.ts';
import type { SideTask } from '../../../../src/daemon/engine/side-task.ts';
import type { Leadership } from '../../../../src/kv/election.ts';
import { CLUSTER_KEY, LEADER_KEY, nodeKey, VERSION_KEY, volumeKey } from '../../../../src/kv/keys.ts';
import { createMemoryStore } from '../../../../src/kv/memory.ts';
import { nodeOf, volumeOf } from '../../model/volumes.ts';
import { idOf } from './support.ts';

const clock = createSystemClock();
const random = createSystemRandom();

const eventually = <T>(what: string, probe: () => Promise<T | undefined>): Promise<T> =>
  waitFor({ clock, what, timeoutMs: 4000, intervalMs: 1, probe });

/** An engine on a store of its own, and a way to see that it plans. */
async function start(whileLeading: SideTask) {
  const kv = createMemoryStore({ clock, random }).connect();
  const put = async (key: string, value: unknown): Promise<void> => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    await kv.transact({ compare: [], writes: [{ kind: 'put', key, value: text }] });
  };
  await put(VERSION_KEY, CLUSTER_VERSION);
  await put(CLUSTER_KEY, { uid: '0'.repeat(32) });
  await put(nodeKey('a'), nodeOf('a'));
  const lines: LogLine[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
  const log = createLog({ write, nowMs: clock.nowMs, level: 'debug', fields: {} });
  const stopping = new AbortController();
  const engine = createEngine({ kv, clock, random, log, node: 'a', leaseTtlSeconds: 10, whileLeading });
  const ended = engine.run(stopping.signal);
  let orders = 0;
  return {
    kv,
    lines,
    stop: async (): Promise<void> => {
      stopping.abort();
      await ended;
    },
    plans: async (): Promise<void> => {
      orders += 1;
      const key = volumeKey(idOf(orders));
      await put(key, volumeOf({ id: idOf(orders) }));
      await eventually('a plan', async () => {
        const { kv: stored } = await kv.get(key);
        return JSON.parse(stored?.value ?? '{}').node === 'a' ? true : undefined;
      });
    },
  };
}

it('runs once a term, for as long as the engine leads', async () => {
  const terms: number[] = [];
  let running = 0;
  const { kv, plans, stop } = await start(async ({ term, lost }) => {
    terms.push(term);
    running += 1;
    await new Promise((resolve) => lost.addEventListener('abort', resolve));
    running -= 1;
  });
  await plans();
  expect(terms).toHaveLength(1);
  await kv.transact({ compare: [], writes: [{ kind: 'delete', key: LEADER_KEY }] });
  await eventually('the next term', async () => (terms.length === 2 ? true : undefined));
  await plans();
  expect(new Set(terms).size).toBe(2);
  expect(running).toBe(1);
  await stop();
  expect(running).toBe(0);
});

it('that fails is started again, and neither ends the term nor holds it up', async () => {
  let starts = 0;
  const { lines, plans, stop } = await start(async ({ lost }) => {
    starts += 1;
    if (starts === 1) throw new Error('no');
    await new Promise((resolve) => lost.addEventListener('abort', resolve));
  });
  await plans();
  await eventually('the second start', async () => (starts === 2 ? true : undefined));
  await plans();
  const events = lines.map(({ event }) => event);
  expect(events.filter((event) => event === 'engine.side-task-failed')).toHaveLength(1);
  expect(events.filter((event) => event === 'engine.elected')).toHaveLength(1);
  await stop();
});

it('that never ends holds up neither the plans nor, for long, the end', async () => {
  let given: Leadership | undefined;
  const { kv, plans, stop } = await start((leadership) => {
    given = leadership;
    return new Promise<never>(() => {});
  });
  await plans();
  const startedMs = clock.monotonicMs();
  const ended = stop();
  await eventually('the resignation', async () =>
    (await kv.get(LEADER_KEY)).kv === undefined ? true : undefined,
  );
  expect(clock.monotonicMs() - startedMs).toBeLessThan(200);
  expect(given?.isLeader()).toBe(false);
  await ended;
  expect(clock.monotonicMs() - startedMs).toBeLessThan(2000);
});
