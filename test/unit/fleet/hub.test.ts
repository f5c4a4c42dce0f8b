import { afterEach, describe, expect, it } from '@jest/globals';
import { answer } from '../../../src/fleet/answers.ts';
import { createDistribution } from '../../../src/fleet/figures.ts';
import { createFleet } from '../../../src/fleet/fleet.ts';
import { type Hub, openHub } from '../../../src/fleet/hub.ts';
import { createMemoryWorld } from '../../../src/network/memory.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { openFleet, type TestFleet } from './support.ts';

let hub: Hub;
let test: TestFleet | undefined;

afterEach(async () => {
  await hub.close();
  test?.end();
});

async function open(answers: (path: string) => ReturnType<typeof answer> = async () => undefined) {
  const network = createMemoryWorld({ clock: createManualClock() }).connect('127.0.0.1');
  hub = await openHub({ network, answer: answers });
  return async (path: string, to?: string) => {
    const headers = to === undefined ? {} : { 'cobalt-to': to };
    return network.call({ method: 'GET', url: `${hub.url}${path}`, headers, timeoutMs: 1000 });
  };
}

describe('the port of a fleet', () => {
  it('brings calls to the node that they name, while it listens', async () => {
    const call = await open();
    const handler = (name: string) => async () => ({ status: 200, headers: {}, body: name });
    const a = await hub.network.listen({ host: 'a', port: 0 }, handler('a'));
    await hub.network.listen({ host: 'b', port: 0 }, handler('b'));
    expect((await call('/x', 'a')).body).toBe('a');
    expect((await call('/x', 'b')).body).toBe('b');
    await expect(hub.network.listen({ host: 'a', port: 0 }, handler('again'))).rejects.toThrow(
      'listens already',
    );
    await a.close();
    expect(await call('/x', 'a')).toMatchObject({ status: 503 });
    expect(await call('/x', 'nobody')).toMatchObject({ status: 503 });
    expect(await call('/x')).toMatchObject({ status: 404 });
  });

  it("tells the fleet's figures, and a node's while it is on", async () => {
    const opened = await openFleet();
    test = opened;
    const fleet = createFleet();
    const call = await open((path) => answer(path, { fleet, world: opened.world }));
    const node = opened.node('a');
    fleet.add(node);
    expect(await call('/nodes/a/metrics')).toMatchObject({ status: 503 });
    node.powerOn();
    await opened.clock.advance(25_000);
    expect(JSON.parse((await call('/status')).body)).toMatchObject({
      ...{ nodes: 1, on: 1, registered: 1, heartbeats: 2, lostLeases: 0, etcdReachable: true },
    });
    expect((await call('/metrics')).body).toContain('fleet_nodes_registered 1');
    const metrics = (await call('/nodes/a/metrics')).body;
    expect(metrics).toContain('cobalt_agent_registered{node="a"} 1');
    expect(metrics).toContain('cobalt_etcd_reachable{node="a"} 1');
    expect(await call('/nodes/b/metrics')).toMatchObject({ status: 404 });
  });
});

describe('a distribution', () => {
  it('knows its quantiles to 5 %', () => {
    const distribution = createDistribution();
    expect(distribution.quantile(0.99)).toBe(0);
    for (let ms = 1; ms <= 1000; ms += 1) distribution.add(ms);
    for (const share of [0.01, 0.5, 0.99]) {
      expect(distribution.quantile(share) / (1000 * share)).toBeGreaterThanOrEqual(1);
      expect(distribution.quantile(share) / (1000 * share)).toBeLessThan(1.06);
    }
    distribution.reset();
    expect(distribution.count).toBe(0);
  });
});
