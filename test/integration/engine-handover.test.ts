// How long the cluster is without a leader when the one it has is asked to stop.

import { expect, it } from '@jest/globals';
import { createLog } from '../../src/base/log.ts';
import { waitFor } from '../../src/base/retry.ts';
import { CLUSTER_VERSION } from '../../src/daemon/cluster.ts';
import { createEngine } from '../../src/daemon/engine/engine.ts';
import { CLUSTER_KEY, LEADER_KEY, VERSION_KEY, volumeKey } from '../../src/kv/keys.ts';
import type { Kv } from '../../src/kv/kv.ts';
import type { Volume } from '../../src/model/volume.ts';
import { clock, LEASE_TTL_SECONDS, random } from '../support/cluster.ts';
import { pausable } from '../support/pausable-kv.ts';
import { ID, volumeOf } from '../unit/model/volumes.ts';
import { onEveryStore } from './suite.ts';

const HANDOVERS = 10;
/** What is promised, of the handover in the middle. A single one may meet a disk or a processor that is busy. */
const MOST_MS = 200;
/** Far less than the lease, which is how long nobody leads after a crash. */
const WORST_MS = 1000;

/** An engine that is stopped as by SIGTERM. `waiting`: it stands by for the leader to go. */
function startEngine(connected: Kv, node: string) {
  const stopping = new AbortController();
  let waits = (): void => {};
  const waiting = new Promise<void>((resolve) => {
    waits = resolve;
  });
  const kv: Kv = {
    ...connected,
    watch: async function* (options) {
      for await (const batch of connected.watch(options)) {
        if (options.prefix === LEADER_KEY) waits();
        yield batch;
      }
    },
  };
  const log = createLog({ write: () => {}, nowMs: clock.nowMs, level: 'error', fields: {} });
  const engine = createEngine({ kv, clock, random, log, node, leaseTtlSeconds: LEASE_TTL_SECONDS });
  const ended = engine.run(stopping.signal);
  return {
    node,
    waiting,
    stop: () => stopping.abort(),
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await ended;
      await connected.close();
    },
  };
}

/** When each leader was first seen, by somebody who only watches. */
function observeLeaders(kv: Kv) {
  const stop = new AbortController();
  const seenMs = new Map<string, number>();
  const watching = (async () => {
    for await (const { events } of kv.watch({ prefix: LEADER_KEY, fromRevision: 1, signal: stop.signal })) {
      for (const event of events) {
        if (event.kind === 'put') seenMs.set(JSON.parse(event.kv.value).node, clock.monotonicMs());
      }
    }
  })().catch(() => undefined);
  return {
    led: (node: string): Promise<number> =>
      waitFor({
        clock,
        what: `${node} to lead`,
        timeoutMs: 5000,
        intervalMs: 2,
        probe: async () => seenMs.get(node),
        describe: () => [...seenMs.keys()].join(', '),
      }),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await watching;
      await kv.close();
    },
  };
}

async function volumeIn(kv: Kv): Promise<Volume | undefined> {
  const found = (await kv.get(volumeKey(ID))).kv;
  return found === undefined ? undefined : (JSON.parse(found.value) as Volume);
}

onEveryStore('an engine that is asked to stop', ({ backend }) => {
  it(`is followed by another within ${MOST_MS} ms, ten times over`, async () => {
    await using leaders = observeLeaders(backend().connect());
    const gapsMs: number[] = [];
    let leader = startEngine(backend().connect(), 'n0');
    await leaders.led('n0');
    for (let turn = 1; turn <= HANDOVERS; turn += 1) {
      await using former = leader;
      leader = startEngine(backend().connect(), `n${turn}`);
      await leader.waiting;
      const stoppedMs = clock.monotonicMs();
      former.stop();
      gapsMs.push((await leaders.led(leader.node)) - stoppedMs);
    }
    await leader[Symbol.asyncDispose]();
    const sorted = gapsMs.sort((a, b) => a - b);
    expect(sorted).toHaveLength(HANDOVERS);
    expect(sorted[HANDOVERS / 2]).toBeLessThan(MOST_MS);
    expect(sorted.at(-1)).toBeLessThan(WORST_MS);
  });

  it('is followed as soon when the answer to a write of its is still to come', async () => {
    await using leaders = observeLeaders(backend().connect());
    const link = pausable(backend().connect());
    await using former = startEngine(link, 'n0');
    await leaders.led('n0');
    link.pause(({ writes }) => writes.some(({ key }) => key === volumeKey(ID)));
    const kv = backend().connect();
    const writes = [
      [VERSION_KEY, CLUSTER_VERSION],
      [CLUSTER_KEY, JSON.stringify({ uid: '0'.repeat(32) })],
      [volumeKey(ID), JSON.stringify(volumeOf())],
    ].map(([key = '', value = '']) => ({ kind: 'put' as const, key, value }));
    await kv.transact({ compare: [], writes });
    const held = async () => (link.held > 0 ? true : undefined);
    await waitFor({ clock, what: 'a held write', timeoutMs: 5000, intervalMs: 2, probe: held });
    await using next = startEngine(backend().connect(), 'n1');
    await next.waiting;
    const stoppedMs = clock.monotonicMs();
    former.stop();
    expect((await leaders.led('n1')) - stoppedMs).toBeLessThan(WORST_MS);
    const reason = async () => (await volumeIn(kv))?.control.error ?? undefined;
    expect(await waitFor({ clock, what: 'its plan', timeoutMs: 5000, intervalMs: 2, probe: reason })).toMatch(
      /no live node/,
    );
    // What the former wanted to write comes too late.
    const { control } = (await volumeIn(kv)) ?? volumeOf();
    link.resume();
    await former[Symbol.asyncDispose]();
    expect((await volumeIn(kv))?.control).toEqual(control);
    expect(control.writer).toMatchObject({ role: 'engine', node: 'n1' });
    await kv.close();
  });
});
