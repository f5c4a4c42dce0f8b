import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import type { HistoryEvent } from '../../../src/rig/history.ts';
import { fetchHttp } from '../../../src/rig/http.ts';
import { perform } from '../../../src/rig/perform.ts';
import type { Scenario } from '../../../src/rig/scenario.ts';
import type { Stage } from '../../../src/rig/stage.ts';
import { parseTopology } from '../../../src/rig/topology.ts';
import type { Workload } from '../../../src/rig/workload/spec.ts';

const workload: Workload = {
  clients: 1,
  ratePerSecond: 100,
  mix: { list: 1 },
  volumes: { most: 1, sizesGib: [1] },
  fileBytes: [1],
  conditionalPercent: 0,
  constrainedPercent: 0,
  leastPercent: 0,
};

describe('a script that ends before its time', () => {
  it('leaves nobody at work, also where a workload can not end in peace', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const clock = createSystemClock();
    const interrupt = new AbortController();
    const recorded: Partial<HistoryEvent>[] = [];
    let called = false;
    const stage = {
      clock,
      signal: interrupt.signal,
      recorder: { keys: () => new Map(), revision: () => 0 },
      journal: {
        atMs: clock.monotonicMs,
        record: (event: HistoryEvent) => recorded.push(event),
        machine: [],
      },
      clients: {
        count: () => 0,
        http: async () => {
          called = true;
          throw new Error('the record is full');
        },
      },
      deployment: {
        topology: parseTopology({ nodes: [{ name: 'node1' }], consumers: ['consumer1'] }, 'this test'),
        address: async () => '10.0.0.11',
        api: async () => url,
        fetch: fetchHttp,
      },
    } as unknown as Stage;
    const script: Scenario['script'] = [
      { follow: 'consumer1', via: 'node1' },
      { workload, as: 'work', seed: 1 },
      { hold: 60_000, why: 'it is to be interrupted' },
    ];
    const scenario = { script } as unknown as Scenario;
    const performed = perform(stage, { scenario, onStep: () => undefined });
    performed.catch(() => undefined);
    const probe = async () => called || undefined;
    await waitFor({ clock, what: 'the workload to be broken off', timeoutMs: 5_000, probe });
    interrupt.abort();
    await expect(performed).rejects.toThrow('the record is full');
    expect(recorded.at(-1)).toMatchObject({ type: 'follow', phase: 'end' });
    server.closeAllConnections();
    server.close();
  });
});

describe('a script whose volume no API takes', () => {
  it('ends where it needs that, without failing', async () => {
    const recorded: Partial<HistoryEvent>[] = [];
    const clock = createSystemClock();
    const stage = {
      clock,
      signal: new AbortController().signal,
      recorder: { keys: () => new Map(), revision: () => 0 },
      journal: { atMs: () => 0, record: (event: HistoryEvent) => recorded.push(event), machine: [] },
      clients: { http: async () => ({ status: 503, body: {}, elapsedMs: 1 }) },
      deployment: {
        topology: parseTopology({ nodes: [{ name: 'node1' }], consumers: ['consumer1'] }, 'this test'),
        address: async () => '10.0.0.11',
      },
    } as unknown as Stage;
    const script: Scenario['script'] = [
      { call: { create: 'a', sizeGib: 1 }, via: 'node1', status: 202 },
      { traffic: 'work', by: 'consumer1', volume: 'a' },
      { hold: 60_000, why: 'it works' },
    ];
    await perform(stage, { scenario: { script } as unknown as Scenario, onStep: () => undefined });
    expect(recorded).toMatchObject([
      { type: 'expectation', what: 'create a of 1 GiB via node1 answers 202', outcome: 'missed' },
      { type: 'expectation', outcome: 'unseen', seen: expect.stringContaining('volume a was never created') },
    ]);
  });
});
