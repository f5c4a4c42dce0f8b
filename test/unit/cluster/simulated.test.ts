import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Cluster, type FaultSpec, startCluster, withCluster } from '../../../src/index.ts';
import { describeEachMode } from '../../../src/jest.ts';

const ONE = { nodes: [{ name: 'node1' }], consumers: ['consumer1'] };
const simulated = (more: object = {}) => startCluster({ mode: 'simulated', topology: ONE, ...more });

await describeEachMode(['simulated'], 'a cluster in the hands of a test', (mode) => {
  let cluster: Cluster;
  beforeEach(async () => {
    cluster = await startCluster({ mode });
  });
  afterEach(() => cluster.teardown());

  it('makes volumes, and lets consumers write and read', async () => {
    const exports = [{ consumer: 'consumer1', access: 'rw' }] as const;
    const volume = await cluster.api('node1').createVolume({ name: 'first', sizeGib: 1, exports });
    await expect(volume).toBecomeReady({ withinMs: 10_000 });
    const place = { volume: volume.id, file: 'a' };
    const written = await cluster.consumer('consumer1').write(place);
    expect(await cluster.consumer('consumer1').read(place)).toEqual(written);
    await expect(cluster.consumer('consumer2').read(place)).rejects.toMatchObject({ code: 'conflict' });
    await volume.move();
    const moved = await cluster.eventually(() => volume.read(), {
      until: ({ state, actual }) => state === 'ready' && actual?.pinned === true,
      withinMs: 60_000,
    });
    expect(moved.node).not.toBe('node1');
    const clone = await volume.clone({ name: 'second', sizeGib: 1 });
    await expect(clone).toBecomeReady();
    await clone.delete();
    await cluster.eventually(() => cluster.api().volumes(), { until: ({ length }) => length === 1 });
  });

  it('tells in metrics what there is, of the cluster and of each node', async () => {
    await expect(await cluster.api().createVolume({ name: 'first', sizeGib: 1 })).toBecomeReady();
    const told = await cluster.eventually(() => cluster.metrics('node2'), {
      until: (text) => text.includes('cobalt_volumes{state="ready",node="node2"} 1'),
    });
    expect(told).toContain('cobalt_nodes{state="alive",node="node2"} 3');
    expect(told).toContain('cobalt_node_registered{node="node2"} 1');
    await cluster.kill('node1');
    await cluster.eventually(() => cluster.metrics('node2'), {
      until: (text) => text.includes('cobalt_nodes{state="away",node="node2"} 1'),
    });
    await expect(cluster.metrics('node1')).rejects.toThrow();
  });

  it('loses and gets nodes, and says when the control plane knows', async () => {
    await cluster.kill('node2');
    await expect(cluster).toBecomeReady();
    expect((await cluster.api().nodes()).map(({ name }) => name)).toEqual(['node1', 'node3']);
    await cluster.start('node2');
    await cluster.addNode({ name: 'node4', labels: { disk: 'ssd' } });
    await cluster.waitFor();
    expect((await cluster.api('node4').node('node4')).labels).toEqual({ disk: 'ssd' });
    await cluster.removeNode('node4');
    await cluster.waitFor();
    expect(cluster.topology.nodes.map(({ name }) => name)).toEqual(['node1', 'node2', 'node3']);
  });

  it('is hit by any fault of the catalogue, which goes when its block is left', async () => {
    {
      await using fault = await cluster.inject({ fault: 'cut', from: 'node3', to: 'etcd-all' });
      expect(fault.members).toContain('node3');
      await cluster.eventually(() => cluster.api('node1').nodes(), { until: ({ length }) => length === 2 });
      await expect(cluster).not.toBecomeReady({ withinMs: 100 });
    }
    await cluster.waitFor();
    await cluster.pause('etcd');
    await expect(cluster.api('node1').volumes()).rejects.toMatchObject({ code: 'unavailable' });
    await cluster.resume('etcd');
    await cluster.waitFor();
  });

  it('does not say that a fault is gone which nobody has seen to be', async () => {
    await cluster.inject({ fault: 'latency', on: 'node3', delayMs: 200, jitterMs: 0 });
    await cluster.kill('node3');
    await expect(cluster.heal()).rejects.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('it was not seen that'),
    });
    await cluster.start('node3');
    await cluster.heal();
  });

  it('refuses a fault that is not whole, before anything is touched', async () => {
    const wrong: readonly [object, string][] = [
      [{ fault: 'latency', on: 'node3', delayMs: 200 }, "latency: 'jitterMs' is missing"],
      [{ fault: 'latency', on: 'node3', delayMs: '200', jitterMs: 0 }, "'delayMs' must be a number"],
      [{ fault: 'kill', on: 'node3', rolle: 'agent' }, "'rolle'"],
      [{ fault: 'partition', shape: 'isolate', on: [] }, "'on'"],
      [{ fault: 'earthquake', on: 'node3' }, "there is no fault 'earthquake'"],
      [{ fault: 'constructor' }, "there is no fault 'constructor'"],
    ];
    for (const [spec, words] of wrong) {
      const refused = expect(cluster.inject(spec as FaultSpec)).rejects;
      await refused.toMatchObject({ code: 'invalid', message: expect.stringContaining(words) });
    }
    await cluster.heal();
  });

  it('shows logs, etcd and time', async () => {
    const before = cluster.now();
    await cluster.sleep(2_500);
    expect(cluster.now() - before).toBeGreaterThan(2_499);
    const leader = await cluster.etcd.get('/cobalt/v1/engine/leader');
    const elected = (await cluster.logs()).filter(({ event }) => event === 'engine.elected');
    expect(elected.map(({ node }) => node)).toContain(JSON.parse(leader ?? '{}').node);
    expect([...(await cluster.etcd.list('/cobalt/v1/nodes/')).keys()]).toHaveLength(3);
    expect(new Set((await cluster.logs('node2')).map(({ node }) => node))).toEqual(new Set(['node2']));
  });

  it('traces what follows from a call through all roles', async () => {
    const volume = await cluster.api('node2').createVolume({ name: 'traced', sizeGib: 1 });
    const { trace } = (await volume.becomeReady()).control;
    const about = (await cluster.logs()).filter((line) => trace !== null && line.trace === trace);
    expect(about.map(({ event, role }) => `${role} ${event}`)).toEqual([
      'api api.accepted',
      'engine volume.assigned',
      'agent volume.created',
      'agent volume.exported',
      'agent volume.ready',
    ]);
    await volume.resize(2);
    expect((await volume.read()).control.trace).not.toBe(trace);
  });

  it('refuses what is not there, and what the mode cannot do', async () => {
    expect(() => cluster.consumer('nobody')).toThrow("no consumer 'nobody'");
    await expect(cluster.api('nobody').nodes()).rejects.toMatchObject({ code: 'not_found' });
    await expect(cluster.logs('nobody')).rejects.toMatchObject({ code: 'not_found' });
    await expect(cluster.start('node1')).rejects.toMatchObject({ code: 'conflict' });
    await expect(cluster.addNode('node1')).rejects.toMatchObject({ code: 'conflict' });
    await expect(cluster.addNode('Not a name')).rejects.toMatchObject({ code: 'invalid' });
    await expect(cluster.exec('node1', ['true'])).rejects.toMatchObject({ code: 'unsupported' });
    await expect(cluster.inject({ fault: 'disk-errors', on: 'node1' })).rejects.toMatchObject({
      code: 'unsupported',
    });
    await expect(cluster.api('node1').createVolume({ name: 'x', sizeGib: -1 })).rejects.toMatchObject({
      code: 'invalid',
    });
  });
});

describe('startCluster', () => {
  it('takes its record away when it ends, unless the folder was named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kept-'));
    const kept = await simulated({ folder });
    await kept.teardown();
    await kept.teardown();
    expect(readdirSync(folder).sort()).toEqual(['etcd-events.jsonl', 'history.jsonl', 'logs', 'run.json']);
    expect(readdirSync(join(folder, 'logs'))).toEqual(['node1']);
    rmSync(folder, { recursive: true });
    let gone = '';
    {
      await using cluster = await simulated();
      gone = cluster.folder;
      expect(existsSync(gone)).toBe(true);
    }
    expect(existsSync(gone)).toBe(false);
  });

  it('lets no time pass while nothing is awaited of the cluster, and does the same again with the same seed', async () => {
    const told = async (seed: number) => {
      await using cluster = await simulated({ seed });
      const before = cluster.now();
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(cluster.now() - before).toBeLessThan(1);
      await cluster.sleep(1_000);
      return JSON.stringify(await cluster.logs());
    };
    const first = await told(5);
    expect(await told(5)).toBe(first);
    expect(await told(6)).not.toBe(first);
  });

  it.each([
    [{ seed: -1 }, 'is no seed'],
    [{ mode: 'imagined' }, "there is no mode 'imagined'"],
    [{ topology: { nodes: [] } }, "'nodes'"],
    [{ topology: { ...ONE, system: { kind: 'image', image: 'other' } } }, "can't be of the image other"],
  ])('refuses %j', async (options, words) => {
    await expect(simulated(options)).rejects.toThrow(words);
  });

  it('gives up, and leaves nothing, where the cluster does not become ready in time', async () => {
    await expect(simulated({ readyWithinMs: 10 })).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('withCluster', () => {
  it('answers with what the work does, the same with the same seed', async () => {
    const leader = (seed: number) =>
      withCluster({ mode: 'simulated', seed }, async (cluster) => {
        await cluster.kill('node1');
        await cluster.waitFor();
        return `${await cluster.etcd.get('/cobalt/v1/engine/leader')} ${cluster.now()}`;
      });
    expect(await leader(2)).toBe(await leader(2));
  });

  it('fails for work in which anything real takes part', async () => {
    const work = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
    await expect(withCluster({ mode: 'simulated', topology: ONE }, work)).rejects.toThrow(
      'something real took part in a simulation: Timeout',
    );
  });

  it('rejects as the work does', async () => {
    const work = async () => {
      throw new Error('the test failed');
    };
    await expect(withCluster({ mode: 'simulated', topology: ONE }, work)).rejects.toThrow('the test failed');
  });
});
