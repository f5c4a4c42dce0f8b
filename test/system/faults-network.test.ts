// Every fault of the network shows its effect from outside, in the directions that it
// hits and in no other, and its complete healing.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import type { Deployment, Path } from '../../src/rig/deployment.ts';
import { createNemesis, type Nemesis } from '../../src/rig/faults/nemesis.ts';
import type { TopologyInput } from '../../src/rig/topology.ts';
import {
  clock,
  createDuring,
  type FaultCluster,
  type Recorded,
  startFaultCluster,
} from '../support/fault-cluster.ts';
import { siteAt } from '../support/site.ts';

const NODES = ['node1', 'node2', 'node3'];
const TOPOLOGY: TopologyInput = {
  nodes: NODES.map((name) => ({ name })),
  consumers: ['consumer1'],
};

describe('faults of the network', () => {
  let cluster: FaultCluster;
  let deployment: Deployment;
  let nemesis: Nemesis;
  const record: Recorded[] = [];

  beforeAll(async () => {
    cluster = await startFaultCluster(TOPOLOGY);
    deployment = cluster.deployment;
    const site = siteAt({ clock, deployment, idOf: (volume) => volume });
    nemesis = createNemesis(site, (event) => record.push(event));
  }, 600_000);

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  }, 60_000);

  const path = (from: string, to: string): Path => ({ from, to });
  /** The paths of these on which a packet arrives, as `from → to`. */
  const open = async (paths: readonly Path[]): Promise<readonly string[]> => {
    const seen = await deployment.links.send(paths, { count: 3, bytes: 64, withinMs: 300 });
    return seen.filter(({ tookMs }) => tookMs.length > 0).map(({ from, to }) => `${from} → ${to}`);
  };
  const outcome = async (from: string, to: string): Promise<string | undefined> =>
    (await deployment.links.connect([path(from, to)], 600))[0]?.outcome;

  const url = (node: string, route: string): string => `http://${node}:8080${route}`;
  const curl = (member: string, args: readonly string[]) =>
    deployment.exec(member, ['curl', '--silent', '--show-error', ...args]);

  const during = createDuring({
    nemesis: () => nemesis,
    record,
    phases: ['inject', 'shown', 'heal', 'healed'],
  });

  it('isolates a node from all others, and the rig goes on to see it', async () => {
    await during({ fault: 'partition', shape: 'isolate', on: 'node1' }, async () => {
      const paths = [path('node1', 'node2'), path('node2', 'node1'), path('etcd', 'node1')];
      expect(await open([...paths, path('node2', 'etcd'), path('consumer1', 'node2')])).toEqual(
        expect.arrayContaining(['node2 → etcd', 'consumer1 → node2']),
      );
      expect(await open(paths)).toEqual([]);
      expect(await outcome('node2', 'node1')).toBe('silent');
      expect((await fetch(`${await deployment.api('node1')}/healthz`)).status).toBe(200);
    });
    expect(await outcome('node2', 'node1')).toBe('answered');
  }, 60_000);

  it('parts halves, and leaves a bridge', async () => {
    await during({ fault: 'partition', shape: 'halves', on: ['node1', 'etcd'] }, async () => {
      expect(
        (
          await open([
            path('node1', 'etcd'),
            path('node2', 'node3'),
            path('node3', 'etcd'),
            path('node1', 'node2'),
          ])
        ).toSorted(),
      ).toEqual(['node1 → etcd', 'node2 → node3']);
    });
    await during({ fault: 'partition', shape: 'bridge', on: 'node1' }, async () => {
      // Others, by turns: etcd and node3 on one side, node2 and consumer1 on the other.
      expect(
        (
          await open([
            path('etcd', 'node1'),
            path('node1', 'node2'),
            path('etcd', 'node2'),
            path('node3', 'etcd'),
          ])
        ).toSorted(),
      ).toEqual(['etcd → node1', 'node1 → node2', 'node3 → etcd']);
    });
  }, 60_000);

  it('leaves everyone in a ring a majority of its own', async () => {
    await during({ fault: 'partition', shape: 'majorities-ring', on: NODES }, async () => {
      const pairs = NODES.flatMap((from) => NODES.filter((to) => to !== from).map((to) => path(from, to)));
      expect((await open([...pairs, path('node1', 'etcd')])).toSorted()).toEqual(
        ['node1 → etcd', 'node1 → node2', 'node2 → node1', 'node2 → node3', 'node3 → node2'].toSorted(),
      );
    });
  }, 60_000);

  it('cuts one direction only', async () => {
    await during({ fault: 'cut', from: 'consumer1', to: 'node2', oneWay: true }, async () => {
      expect(await open([path('consumer1', 'node2'), path('node2', 'consumer1')])).toEqual([
        'node2 → consumer1',
      ]);
    });
  }, 60_000);

  it('holds over a restart of who is hit, and heals with another cut in force', async () => {
    await nemesis.inject('other', { fault: 'cut', from: 'node1', to: 'node3' });
    await during({ fault: 'cut', from: 'etcd', to: 'node1' }, async () => {
      await deployment.act('kill', 'node1');
      await deployment.act('start', 'node1');
      const paths = [path('etcd', 'node1'), path('node1', 'etcd'), path('node1', 'node3')];
      expect(await open([...paths, path('node2', 'node1')])).toEqual(['node2 → node1']);
    });
    expect(await open([path('etcd', 'node1'), path('node1', 'node3')])).toEqual(['etcd → node1']);
    await nemesis.heal('other');
    expect(await open([path('node1', 'node3')])).toEqual(['node1 → node3']);
  }, 60_000);

  it('loses so many packets, and no others', async () => {
    await during({ fault: 'loss', on: 'node2', percent: 30 }, async () => {
      const [hit] = await deployment.links.send([path('node1', 'node2')], {
        count: 400,
        bytes: 64,
        withinMs: 300,
      });
      const [free] = await deployment.links.send([path('node1', 'node3')], {
        count: 400,
        bytes: 64,
        withinMs: 300,
      });
      // 30 % of 400 is 120; five standard deviations are 46.
      expect(Math.abs(280 - (hit?.tookMs.length ?? 0))).toBeLessThan(46);
      expect(free?.tookMs.length).toBe(400);
    });
  }, 60_000);

  it('delays packets in their order, and no others', async () => {
    await during({ fault: 'latency', on: 'node2', delayMs: 100, jitterMs: 20 }, async () => {
      const [hit] = await deployment.links.connect([path('node1', 'node2')], 2_000);
      const [free] = await deployment.links.connect([path('node1', 'node3')], 2_000);
      // To and fro, to open it and to be answered.
      expect(hit?.outcome).toBe('answered');
      expect(hit?.tookMs).toBeGreaterThan(320);
      expect(free?.tookMs).toBeLessThan(100);
    });
  }, 60_000);

  it('limits how much a link carries', async () => {
    await during({ fault: 'bandwidth', on: 'node2', kbitPerSecond: 1_000 }, async () => {
      const burst = { count: 60, bytes: 1_400, withinMs: 2_000 };
      const [slow] = await deployment.links.send([path('node1', 'node2')], burst);
      const [free] = await deployment.links.send([path('node1', 'node3')], burst);
      expect(slow?.tookMs.length).toBe(60);
      // 59 packets of 11.2 kbit each.
      expect(slow?.spanMs).toBeGreaterThan(590);
      expect(free?.spanMs).toBeLessThan(300);
    });
  }, 60_000);

  it('resets open connections and refuses new ones', async () => {
    const follow = curl('consumer1', ['--no-buffer', '--max-time', '20', url('node3', '/events')]);
    const established = ['ss', '-Htn', 'state', 'established', 'dport', '=', ':8080'];
    await waitFor({
      clock,
      what: 'the consumer to follow the events',
      timeoutMs: 15_000,
      probe: async () => (await deployment.exec('consumer1', established)).stdout || undefined,
    });
    await during({ fault: 'reset', on: 'node3' }, async () => {
      // 56: the connection was reset while something was received.
      expect((await follow).exitCode).toBe(56);
      // 7: it could not be opened.
      expect((await curl('node1', [url('node3', '/healthz')])).exitCode).toBe(7);
      expect((await curl('node1', [url('node2', '/healthz')])).exitCode).toBe(0);
    });
    expect((await curl('node1', [url('node3', '/healthz')])).exitCode).toBe(0);
  }, 60_000);

  it('lets a request through and loses what is answered', async () => {
    const name = 'heard-and-never-told';
    await during({ fault: 'half-open', on: 'node1' }, async () => {
      const body = JSON.stringify({ name, meta: {}, requested: { reserved_size: 1 } });
      const post = ['--max-time', '2', '--json', body, url('node1', '/volumes')];
      const { exitCode, stdout } = await curl('consumer1', post);
      // 28: out of time.
      expect({ exitCode, stdout }).toEqual({ exitCode: 28, stdout: '' });
      const answer = await fetch(`${await deployment.api('node2')}/volumes`);
      expect(await answer.text()).toContain(name);
      // Its own requests are answered.
      expect((await curl('node1', [url('node2', '/healthz')])).exitCode).toBe(0);
    });
    expect((await curl('consumer1', [url('node1', '/volumes')])).stdout).toContain(name);
  }, 60_000);
});
