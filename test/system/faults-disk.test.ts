// Every fault of a disk and of a clock shows its effect from outside, by what clients
// and other nodes see, and its complete healing.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { waitFor } from '../../src/base/retry.ts';
import type { IoAnswer } from '../../src/rig/consumer/protocol.ts';
import type { Deployment } from '../../src/rig/deployment.ts';
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

const NODES = ['node1', 'node2'];
const TOPOLOGY: TopologyInput = {
  nodes: [
    { name: 'node1', capacityGib: 2, labels: { on: 'node1' }, disk: 'breakable', clock: 'own' },
    { name: 'node2', capacityGib: 2, labels: { on: 'node2' } },
  ],
  consumers: ['consumer1'],
  settings: { reconcileIntervalMs: 250 },
};
const WITHIN_MS = 20_000;

describe('faults of disks and clocks', () => {
  let cluster: FaultCluster;
  let deployment: Deployment;
  let nemesis: Nemesis;
  let files = 0;
  const record: Recorded[] = [];
  /** One on each node. */
  const volumes = new Map<string, string>();

  beforeAll(async () => {
    cluster = await startFaultCluster(TOPOLOGY);
    deployment = cluster.deployment;
    const site = siteAt({ clock, deployment, idOf: (node) => volumes.get(node) as string });
    nemesis = createNemesis(site, (event) => record.push(event));
    for (const node of NODES) volumes.set(node, await createdAt(node));
  }, 600_000);

  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  }, 60_000);

  /** node2's API, whatever happens to node1. */
  const call = async <T>(path: string, init: RequestInit = {}): Promise<T> => {
    const response = await fetch(`${await deployment.api('node2')}${path}`, {
      ...init,
      headers: { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(5_000),
    });
    return (await response.json()) as T;
  };
  const becomes = <T>(what: string, wanted: T, look: () => Promise<T>): Promise<T> => {
    let seen: T | undefined;
    return waitFor({
      clock,
      what: `${what} to be ${wanted}`,
      timeoutMs: WITHIN_MS,
      probe: async () => {
        seen = await look();
        return seen === wanted ? seen : undefined;
      },
      describe: () => String(seen),
    });
  };
  const health = async (node: string): Promise<string> =>
    (await call<{ disk?: { state: string } }>(`/nodes/${node}`)).disk?.state ?? 'away';

  const create = async (node: string): Promise<string> => {
    const body = {
      name: 'v',
      meta: {},
      requested: { reserved_size: 1 / 8, constraints: { on: node } },
      exports: [{ host: await deployment.address('consumer1'), access: 'rw' }],
    };
    return (await call<{ id: string }>('/volumes', { method: 'POST', body: JSON.stringify(body) })).id;
  };
  const stateOf = async (id: string): Promise<string> =>
    (await call<{ state: string }>(`/volumes/${id}`)).state;
  const createdAt = async (node: string): Promise<string> => {
    const id = await create(node);
    await becomes(id, 'ready', () => stateOf(id));
    return id;
  };

  /** A new file of the node's volume, through NFS. */
  const write = async (node: string, bytes = 256 * 1024): Promise<IoAnswer & { tookMs: number }> => {
    const request = {
      kind: 'nfs-write',
      server: node,
      volume: volumes.get(node),
      file: `f${++files}`,
      content: `f${files}`,
      bytes,
      timeoutMs: 5_000,
    };
    const startedMs = clock.monotonicMs();
    const response = await fetch(`${await deployment.consumer('consumer1')}/io`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(15_000),
    });
    return { ...((await response.json()) as IoAnswer), tookMs: clock.monotonicMs() - startedMs };
  };
  const written = (node: string) =>
    becomes(`a write at ${node}`, 'ok', async () => (await write(node)).outcome);

  const during = createDuring({
    nemesis: () => nemesis,
    record,
    phases: ['inject', 'shown', 'heal', 'healed'],
  });

  it('fills a disk: clients and the scheduler see it, other nodes do not', async () => {
    let waiting = '';
    await during({ fault: 'disk-full', on: 'node1' }, async () => {
      expect((await write('node1')).outcome).not.toBe('ok');
      expect((await write('node2')).outcome).toBe('ok');
      await becomes("node1's disk", 'full', () => health('node1'));
      waiting = await create('node1');
      expect(await stateOf(waiting)).toBe('scheduling');
    });
    await becomes("node1's disk", 'ok', () => health('node1'));
    await becomes('the volume that waited', 'ready', () => stateOf(waiting));
    await written('node1');
  }, 60_000);

  it("uses up one volume's quota, and the disk has room left", async () => {
    await during({ fault: 'quota-full', volume: 'node2' }, async () => {
      expect(await write('node2')).toMatchObject({ full: true });
      expect(await deployment.disks.write('node2', 65_536)).toMatchObject({ outcome: 'written' });
      expect(await health('node2')).toBe('ok');
    });
    await written('node2');
  }, 60_000);

  it('makes a disk read-only', async () => {
    await during({ fault: 'disk-read-only', on: 'node2' }, async () => {
      expect((await write('node2')).outcome).not.toBe('ok');
      await becomes("node2's disk", 'read-only', () => health('node2'));
    });
    await becomes("node2's disk", 'ok', () => health('node2'));
    await written('node2');
    await createdAt('node2');
  }, 60_000);

  it('limits what a disk reads and writes', async () => {
    const bytes = 4 * 1024 ** 2;
    const before = await write('node1', bytes);
    await during({ fault: 'disk-slow', on: 'node1', kbitPerSecond: 20_000 }, async () => {
      const { outcome, tookMs } = await write('node1', bytes);
      expect(outcome).toBe('ok');
      expect(tookMs).toBeGreaterThan(before.tookMs + 1_000);
    });
    await written('node1');
  }, 60_000);

  it('lets a disk fail, which a new start of its node ends', async () => {
    await during({ fault: 'disk-errors', on: 'node1' }, async () => {
      expect((await write('node1')).outcome).not.toBe('ok');
      await becomes("node1's disk", 'unwell', async () => {
        const state = await health('node1');
        return ['failing', 'read-only'].includes(state) ? 'unwell' : state;
      });
      expect(await health('node2')).toBe('ok');
    });
    await becomes("node1's disk", 'ok', () => health('node1'));
    await written('node1');
    await createdAt('node1');
  }, 60_000);

  it('heals one of two at once, and the other outlives a restart of the node', async () => {
    await nemesis.inject('full', { fault: 'disk-full', on: 'node1' });
    await nemesis.inject('errors', { fault: 'disk-errors', on: 'node1' });
    await nemesis.heal('errors');
    expect(await deployment.disks.write('node1', 65_536)).toMatchObject({ outcome: 'disk-full' });
    await nemesis.heal('full');
    expect(await deployment.disks.write('node1', 65_536)).toMatchObject({ outcome: 'written' });
    await becomes("node1's disk", 'ok', () => health('node1'));
  }, 60_000);

  it('says what a plain disk and the host clock lack', async () => {
    record.length = 0;
    await nemesis.inject('a', { fault: 'disk-errors', on: 'one' });
    await nemesis.inject('b', { fault: 'clock-offset', on: 'node2', offsetMs: 5_000 });
    expect(record).toMatchObject([
      { phase: 'unavailable', evidence: expect.stringContaining("disk: 'breakable'") },
      { phase: 'unavailable', evidence: expect.stringContaining("clock: 'own'") },
    ]);
  });

  it.each([
    { fault: 'clock-offset', on: 'node1', offsetMs: -3_600_000 },
    { fault: 'clock-jump', on: 'node1', spanMs: 60_000 },
    { fault: 'clock-drift', on: 'node1', rate: 2 },
  ] as const)(
    "sets the daemon's clock wrong by $fault, and no other",
    async (spec) => {
      await during(spec, async () => {
        const { leastMs, mostMs } = await deployment.clocks.read('node2');
        expect(leastMs).toBeLessThanOrEqual(100);
        expect(mostMs).toBeGreaterThanOrEqual(-100);
        if (spec.fault === 'clock-offset') {
          expect((await deployment.clocks.read('node1')).mostMs).toBeLessThan(-3_590_000);
          expect(await createdAt('node1')).toMatch(/^v/);
        }
      });
      expect(await health('node1')).toBe('ok');
    },
    60_000,
  );

  it('leaves no loop device of a breakable disk when its node is killed in the middle of a write', async () => {
    const device = (
      await deployment.exec('node1', ['findmnt', '-no', 'SOURCE', '/srv/cobalt'])
    ).stdout.trim();
    // With the filesystem of its file: another cluster may take the device at once.
    const attached = async (): Promise<readonly string[]> => {
      const { stdout } = await execa('losetup', ['-l', '-n', '--raw', '-O', 'NAME,BACK-MAJ:MIN']);
      return stdout.split('\n').filter((line) => line.startsWith(`${device} `));
    };
    const [loop = 'none'] = await attached();
    expect(loop).toContain(`${device} `);
    const writing = deployment.disks.write('node1', 256 * 1024 ** 2).catch(() => undefined);
    await deployment.act('kill', 'node1');
    await writing;
    await becomes(`whether ${loop} is attached`, false, async () => (await attached()).includes(loop));
  }, 60_000);
});
