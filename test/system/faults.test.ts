// Every fault shows its effect from outside, and its complete healing; and the
// deployment handle does what it says.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { openKv } from '../../src/cluster/open-kv.ts';
import { LEADER_KEY, nodeKey } from '../../src/kv/keys.ts';
import type { Kv } from '../../src/kv/kv.ts';
import type { Deployment } from '../../src/rig/deployment.ts';
import type { TopologyInput } from '../../src/rig/topology.ts';
import { clock, type FaultCluster, startFaultCluster } from '../support/fault-cluster.ts';

const TOPOLOGY: TopologyInput = {
  nodes: [
    { name: 'node1' },
    { name: 'node2', restart: { engine: 'never' } },
    // Has an API and no disk, so that it never registers.
    { name: 'gateway', roles: ['api'] },
    { name: 'late', starts: 'later' },
  ],
  consumers: ['consumer1'],
  settings: { leaseTtlSeconds: 2 },
};
/** Longer than a lease, and a busy machine's patience. */
const SHOWS_MS = 20_000;

describe('faults', () => {
  let cluster: FaultCluster;
  let deployment: Deployment;
  let kv: Kv;

  beforeAll(async () => {
    cluster = await startFaultCluster(TOPOLOGY);
    deployment = cluster.deployment;
    kv = openKv(await deployment.etcd());
  }, 600_000);

  afterAll(async () => {
    await kv.close();
    await cluster[Symbol.asyncDispose]();
  }, 60_000);

  const healthz = async (node: string): Promise<string> => {
    try {
      const url = `${await deployment.api(node)}/healthz`;
      return String((await fetch(url, { signal: AbortSignal.timeout(1_000) })).status);
    } catch {
      return 'silent';
    }
  };
  const becomes = (what: string, wanted: string, look: () => Promise<string>): Promise<string> => {
    let seen = '';
    return waitFor({
      clock,
      what: `${what} to be ${wanted}`,
      timeoutMs: SHOWS_MS,
      probe: async () => {
        seen = await look();
        return seen === wanted ? seen : undefined;
      },
      describe: () => seen,
    });
  };
  const registered = async (node: string): Promise<string> =>
    (await kv.get(nodeKey(node))).kv === undefined ? 'absent' : 'registered';
  const leader = async (): Promise<string> => {
    const { kv: found } = await kv.get(LEADER_KEY);
    return found === undefined ? 'nobody' : (JSON.parse(found.value) as { node: string }).node;
  };

  it.each([
    ['kill', 'exited', 'start'],
    ['stop', 'exited', 'start'],
    ['pause', 'paused', 'resume'],
  ] as const)(
    '%s silences a node, etcd forgets it, and %s and %s show',
    async (bite, state, heal) => {
      await deployment.act(bite, 'node1');
      expect(await deployment.state('node1')).toBe(state);
      expect(await healthz('node1')).toBe('silent');
      expect(await healthz('node2')).toBe('200');
      await becomes('node1', 'absent', () => registered('node1'));

      await deployment.act(heal, 'node1');
      expect(await deployment.state('node1')).toBe('running');
      await becomes('node1', 'registered', () => registered('node1'));
      await becomes("node1's API", '200', () => healthz('node1'));
    },
    90_000,
  );

  it('refuses what makes no sense, and says in which state the member is', async () => {
    await expect(deployment.act('start', 'node1')).rejects.toThrow('cannot start node1: it is running');
    await expect(deployment.act('resume', 'node1')).rejects.toThrow('cannot resume node1: it is running');
    await expect(deployment.act('kill', 'node9')).rejects.toMatchObject({ code: 'conflict' });
    await expect(deployment.act('start', 'node1', { role: 'api' })).rejects.toMatchObject({
      code: 'unsupported',
    });
  });

  it('pauses and resumes one role alone', async () => {
    await deployment.act('pause', 'node1', { role: 'agent' });
    await becomes('node1', 'absent', () => registered('node1'));
    expect(await healthz('node1')).toBe('200');
    await deployment.act('resume', 'node1', { role: 'agent' });
    await becomes('node1', 'registered', () => registered('node1'));
  }, 60_000);

  it('kills one role alone: it stays dead or comes back, as the topology says', async () => {
    const lease = (await kv.get(nodeKey('node1'))).kv?.lease;
    await deployment.act('kill', 'node1', { role: 'agent' });
    // Restarted by its supervisor: registered again, under another lease.
    await becomes('the lease of node1', 'another', async () => {
      const { kv: found } = await kv.get(nodeKey('node1'));
      return found === undefined || found.lease === lease ? 'the same' : 'another';
    });

    await deployment.act('kill', 'node2', { role: 'engine' });
    await becomes('the leader', 'node1', leader);
    await expect(deployment.act('kill', 'node2', { role: 'engine' })).rejects.toThrow('no such process');
    expect(await registered('node2')).toBe('registered');
  }, 60_000);

  it('runs commands, reads logs and metrics, and knows addresses', async () => {
    expect(await deployment.exec('consumer1', ['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect(await deployment.logs('node1')).toMatch(/^\d{4}-\d\d-\d\dT\S+Z .*agent\.registered/m);
    expect(await deployment.metrics('node1')).toContain('# TYPE');
    expect(await deployment.address('consumer1')).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  });

  it('adds a node that registers, and removes it with its disk', async () => {
    const [first] = deployment.topology.nodes;
    if (first === undefined) throw new Error('the topology has no node');
    await deployment.addNode({ ...first, name: 'node3' });
    await becomes('node3', 'registered', () => registered('node3'));
    await deployment.removeNode('node3');
    expect(await deployment.state('node3')).toBe('absent');
    expect(deployment.topology.nodes.map(({ name }) => name)).toEqual(['node1', 'node2', 'gateway', 'late']);
    await becomes('node3', 'absent', () => registered('node3'));
  }, 60_000);

  it('leaves out a node that is to join later, until it is told to join', async () => {
    const late = deployment.topology.nodes.find(({ name }) => name === 'late');
    if (late === undefined) throw new Error('the topology has no node late');
    expect(await deployment.state('late')).toBe('absent');
    await deployment.addNode(late);
    await becomes('late', 'registered', () => registered('late'));
    await expect(deployment.addNode(late)).rejects.toMatchObject({ code: 'conflict' });
    await deployment.removeNode('late');
    expect(await deployment.state('late')).toBe('absent');
  }, 60_000);
});
