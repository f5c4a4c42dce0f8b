import { describe, expect, it } from '@jest/globals';
import type { Clients, HttpAnswer, HttpCall } from '../../../src/rig/clients.ts';
import type { HistoryEvent } from '../../../src/rig/history.ts';
import { startWorkload } from '../../../src/rig/run-workload.ts';
import type { Workload } from '../../../src/rig/workload/spec.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const workload: Workload = {
  clients: 2,
  ratePerSecond: 10,
  mix: { list: 1 },
  volumes: { most: 1, sizesGib: [1] },
  fileBytes: [1],
  conditionalPercent: 0,
  constrainedPercent: 10,
  leastPercent: 50,
};

/** Clients whose calls are answered as `answer` says. */
function start(
  answer: (call: HttpCall, at: number) => Promise<Partial<HttpAnswer>> | Partial<HttpAnswer>,
  change: Partial<Workload> = {},
) {
  const clock = createManualClock();
  const recorded: HistoryEvent[] = [];
  const called: (HttpCall & { readonly atMs: number })[] = [];
  const open = new Set<string>();
  const clients: Clients = {
    count: () => called.length,
    file: async () => ({ outcome: 'ok' }),
    http: async (call) => {
      expect(open.has(call.process)).toBe(false);
      open.add(call.process);
      called.push({ ...call, atMs: clock.monotonicMs() });
      const found = await answer(call, called.length);
      open.delete(call.process);
      return { status: 200, body: undefined, elapsedMs: 0, ...found };
    },
  };
  const journal = { atMs: clock.monotonicMs, record: (event: HistoryEvent) => recorded.push(event) };
  const running = startWorkload({
    clock,
    journal: journal as never,
    clients,
    signal: new AbortController().signal,
    name: 'work',
    workload: { ...workload, ...change },
    seed: 1,
    nodes: [
      { name: 'node1', labels: {} },
      { name: 'node2', labels: {} },
    ],
    consumers: new Map(),
    serverOf: () => null,
  });
  return { clock, called, recorded, running };
}

describe('a workload', () => {
  it('calls at its rate, from so many processes', async () => {
    const { clock, called, running } = start(() => ({}));
    await clock.advance(5_000);
    await running.end();
    expect(called).toHaveLength(50);
    expect(new Set(called.map(({ process }) => process))).toEqual(new Set(['work 1', 'work 2']));
  });

  it('keeps its rate while one client hangs', async () => {
    const hanging = Promise.withResolvers<Partial<HttpAnswer>>();
    const { clock, called, running } = start((_, at) => (at === 3 ? hanging.promise : {}));
    await clock.advance(5_000);
    expect(called.length).toBeGreaterThanOrEqual(49);
    hanging.resolve({});
    await running.end();
  });

  it('makes up for what fell due while all of them hung, but not for what is long over', async () => {
    const hanging = Promise.withResolvers<Partial<HttpAnswer>>();
    const { clock, called, running } = start((_, at) => (at <= 2 ? hanging.promise : {}));
    await clock.advance(10_000);
    expect(called).toHaveLength(2);
    hanging.resolve({});
    await clock.advance(0);
    expect(called.length).toBeGreaterThan(15);
    expect(called.length).toBeLessThan(30);
    await running.end();
  });

  it('goes on through refusals and silence', async () => {
    const { clock, called, running } = start(
      (_, at) => [{ status: 503 }, { status: undefined }, { status: 409 }][at % 3] as never,
    );
    await clock.advance(5_000);
    await running.end();
    expect(called).toHaveLength(50);
  });

  it('is on record from its beginning to its end, and calls no more then', async () => {
    const { clock, called, recorded, running } = start(() => ({}));
    await clock.advance(1_000);
    await running.end();
    await running.end();
    const { length } = called;
    await clock.advance(5_000);
    expect(called).toHaveLength(length);
    expect(recorded).toMatchObject([
      { type: 'workload', phase: 'begin', name: 'work' },
      { type: 'workload', phase: 'end', name: 'work' },
    ]);
  });

  it('tells what broke it off', async () => {
    const { clock, running } = start(() => Promise.reject(new Error('the record is full')));
    await clock.advance(1_000);
    await expect(running.end()).rejects.toThrow('the record is full');
  });

  it('leaves no node draining', async () => {
    let tries = 0;
    const { clock, called, running } = start(
      ({ method }) => {
        if (method === 'GET') return {};
        tries += 1;
        return { status: tries < 3 ? 503 : 304 };
      },
      { mix: { list: 1, drain: 1 } },
    );
    await clock.advance(1_000);
    let over = false;
    const ended = running.end().then(() => {
      over = true;
    });
    for (let step = 0; step < 100 && !over; step += 1) await clock.advance(100);
    await ended;
    const put = called.filter(({ method }) => method === 'PUT');
    expect(put).toHaveLength(4);
    expect(
      put
        .slice(2)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(['/nodes/node1', '/nodes/node2']);
    for (const { body } of put) expect(body).toEqual({ draining: false });
  });
});
