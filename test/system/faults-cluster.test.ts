// Every fault of processes, etcd and the cluster as a whole shows its effect from
// outside, and its complete healing: by etcd's own word, other members and clients.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSeededRandom } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { openKv } from '../../src/cluster/open-kv.ts';
import { LEADER_KEY, nodeKey } from '../../src/kv/keys.ts';
import { createClients } from '../../src/rig/clients.ts';
import { FAILPOINTS_FILE } from '../../src/rig/compose/node-environment.ts';
import type { Deployment, StoredKey } from '../../src/rig/deployment.ts';
import { createNemesis, type Nemesis } from '../../src/rig/faults/nemesis.ts';
import { healthOf } from '../../src/rig/health.ts';
import { type OpenJournal, openJournal } from '../../src/rig/journal.ts';
import { RUN_FILE } from '../../src/rig/record-files.ts';
import { type Recorder, startRecorder } from '../../src/rig/recorder.ts';
import { createSite } from '../../src/rig/site.ts';
import { createNames, leaderOf } from '../../src/rig/stage.ts';
import type { TopologyInput } from '../../src/rig/topology.ts';
import {
  clock,
  createDuring,
  type FaultCluster,
  type Recorded,
  startFaultCluster,
} from '../support/fault-cluster.ts';

const ETCD = ['etcd1', 'etcd2', 'etcd3'];
const TOPOLOGY: TopologyInput = {
  etcd: { members: 3 },
  nodes: [
    { name: 'node1', capacityGib: 1, labels: { on: 'node1' } },
    { name: 'node2', capacityGib: 1, labels: { on: 'node2' } },
    { name: 'late', capacityGib: 1, starts: 'later' },
  ],
  settings: { leaseTtlSeconds: 2, reconcileIntervalMs: 250, failpointSwitches: true },
};

describe('faults of processes, etcd and the cluster', () => {
  let cluster: FaultCluster;
  let deployment: Deployment;
  let folder: string;
  let journal: OpenJournal;
  let recorder: Recorder;
  let nemesis: Nemesis;
  const record: Recorded[] = [];

  beforeAll(async () => {
    cluster = await startFaultCluster(TOPOLOGY);
    ({ deployment, folder } = cluster);
    journal = openJournal({ clock, folder });
    recorder = startRecorder({ clock, journal, connect: async () => openKv(await deployment.etcd()) });
    const stage = {
      clock,
      random: createSeededRandom(1),
      deployment,
      recorder,
      journal,
      clients: createClients({ deployment, journal }),
      signal: new AbortController().signal,
    };
    const names = createNames(stage);
    const write = (event: Recorded): void => {
      record.push(event);
      journal.record(event);
    };
    nemesis = createNemesis(createSite(stage, names), write, healthOf(stage, names));
  }, 600_000);

  afterAll(async () => {
    await recorder[Symbol.asyncDispose]();
    journal[Symbol.dispose]();
    await cluster[Symbol.asyncDispose]();
  }, 60_000);

  const read = (key: string): Promise<StoredKey | undefined> => deployment.store.read(key);
  const healthz = async (node: string): Promise<number> =>
    (await fetch(`${await deployment.api(node)}/healthz`, { signal: AbortSignal.timeout(2_000) })).status;

  const during = createDuring({
    nemesis: () => nemesis,
    record,
    phases: [
      'the cluster is healthy before',
      'inject',
      'shown',
      'heal',
      'healed',
      'the cluster is healthy after',
    ],
  });
  const stateOf = async (id: string): Promise<string> => {
    const answer = await fetch(`${await deployment.api('node2')}/volumes/${id}`);
    return ((await answer.json()) as { state: string }).state;
  };
  const becomesReady = async (id: string): Promise<void> => {
    const isReady = async () => (await stateOf(id)) === 'ready' || undefined;
    await waitFor({ clock, what: `${id} to be ready`, timeoutMs: 20_000, probe: isReady });
  };
  const orderVolume = async (constraints: Readonly<Record<string, string>>): Promise<string> => {
    const body = JSON.stringify({ name: 'v', meta: {}, requested: { reserved_size: 1 / 8, constraints } });
    const headers = { 'content-type': 'application/json' };
    const created = await fetch(`${await deployment.api('node2')}/volumes`, {
      method: 'POST',
      headers,
      body,
    });
    return ((await created.json()) as { id: string }).id;
  };
  const chosen = (): readonly string[] => nemesis.active().flatMap(({ members }) => members);

  it('kills the member that leads etcd, and the others elect another', async () => {
    await during({ fault: 'kill', on: 'etcd-leader' }, async () => {
      const [gone] = chosen() as [string];
      expect(ETCD).toContain(gone);
      expect(await deployment.store.ailment(ETCD.find((name) => name !== gone) as string)).toBeUndefined();
    });
  }, 60_000);

  it('pauses a majority of etcd, and nothing is written until it is resumed', async () => {
    await during({ fault: 'pause', on: 'etcd-majority' }, async () => {
      expect(chosen()).toHaveLength(2);
      await expect(read(LEADER_KEY)).rejects.toMatchObject({ code: 'unavailable' });
    });
  }, 60_000);

  it('restarts a node and a member of etcd', async () => {
    await during({ fault: 'restart', on: ['node1', 'etcd1'] }, async () => {
      expect(await deployment.state('node1')).toBe('running');
    });
  }, 60_000);

  it('compacts and defragments etcd again and again, while the record stays whole', async () => {
    await during({ fault: 'etcd-compaction', everyMs: 200 }, async () => {
      const atRevision = recorder.revision();
      await deployment.store.revoke((await read(nodeKey('node1')))?.lease as string);
      const [fault] = nemesis.active();
      expect(fault?.members).toEqual(ETCD);
      const compacted = async () => (await deployment.store.isCompacted(atRevision)) || undefined;
      await waitFor({ clock, what: `revision ${atRevision} to go`, timeoutMs: 20_000, probe: compacted });
    });
    expect(recorder.complete()).toBe(true);
  }, 60_000);

  it('revokes the lease of an agent, which registers anew', async () => {
    const before = await read(nodeKey('node2'));
    await during({ fault: 'lease-revoked', on: 'node2', role: 'agent' }, async () => undefined);
    expect((await read(nodeKey('node2')))?.lease).not.toBe(before?.lease);
  }, 60_000);

  it('revokes the lease of the leading engine, and asks it to step down', async () => {
    const before = (await read(LEADER_KEY)) as StoredKey;
    await during({ fault: 'lease-revoked', on: 'leader', role: 'engine' }, async () => undefined);
    const between = (await read(LEADER_KEY)) as StoredKey;
    expect(between.createRevision).toBeGreaterThan(before.createRevision);
    const leader = leaderOf(recorder) as string;
    const follower = leader === 'node1' ? 'node2' : 'node1';
    await nemesis.inject('none', { fault: 'lease-revoked', on: follower, role: 'engine' });
    expect(record.at(-1)).toMatchObject({ type: 'nemesis', phase: 'unavailable', id: 'none' });
    await during({ fault: 'engine-demotion' }, async () => {
      expect(leaderOf(recorder)).toBe(follower);
      expect(await healthz(leader)).toBe(200);
    });
  }, 90_000);

  it('loses the data of a minority of etcd, which joins anew', async () => {
    const before = await deployment.store.members();
    await during({ fault: 'etcd-data-loss', on: 'etcd-minority' }, async () => {
      const [lost] = chosen() as [string];
      expect(await read(LEADER_KEY)).toBeDefined();
      expect(await deployment.logs(lost)).toContain('etcd');
    });
    const after = await deployment.store.members();
    expect([...after.keys()].toSorted()).toEqual(ETCD);
    expect(ETCD.filter((name) => after.get(name) !== before.get(name))).toHaveLength(1);
    await expect(
      nemesis.inject('too many', { fault: 'etcd-data-loss', on: 'etcd-majority' }),
    ).rejects.toMatchObject({ code: 'invalid' });
  }, 90_000);

  it('adds a node, and removes it for good', async () => {
    await during({ fault: 'node-added', node: 'late' }, async () => {
      // It has joined once its agent is registered; its API may come a little later.
      await waitFor({
        clock,
        what: 'the API of the new node',
        timeoutMs: 20_000,
        probe: async () => ((await healthz('late')) === 200 ? true : undefined),
      });
    });
    expect(await read(nodeKey('late'))).toBeDefined();
    await during({ fault: 'node-removed', node: 'late' }, async () => {
      expect(await deployment.state('late')).toBe('absent');
    });
    const answer = await fetch(`${await deployment.api('node1')}/nodes/late`);
    expect(answer.status).toBe(404);
    expect(deployment.topology.nodes.map(({ name }) => name)).toEqual(['node1', 'node2']);
  }, 120_000);

  it('restarts all nodes, one after the other', async () => {
    const before = await Promise.all(['node1', 'node2'].map((node) => read(nodeKey(node))));
    await during({ fault: 'rolling-restart' }, async () => undefined);
    const after = await Promise.all(['node1', 'node2'].map((node) => read(nodeKey(node))));
    for (const [index, key] of after.entries()) expect(key?.lease).not.toBe(before[index]?.lease);
  }, 90_000);

  it('switches failpoints on and off while the daemon runs', async () => {
    const failpoints = 'agent/before-create=crash';
    let ordered = '';
    const stumbling = async (): Promise<void> => {
      const isOn = async () =>
        (await deployment.exec('node1', ['test', '-s', FAILPOINTS_FILE])).exitCode === 0 || undefined;
      await waitFor({ clock, what: 'failpoints to be on', timeoutMs: 30_000, probe: isOn });
      ordered = await orderVolume({ on: 'node1' });
    };
    const stumbled = stumbling();
    await during({ fault: 'failpoint', on: 'node1', failpoints }, async () => {
      await stumbled;
      const hasEnded = async () =>
        /role\.exited.*"role":"agent".*SIGKILL/.test(await deployment.logs('node1')) || undefined;
      await waitFor({ clock, what: 'its agent to have crashed', timeoutMs: 20_000, probe: hasEnded });
      expect(await deployment.logs('node2')).not.toContain('failpoint.reached');
      expect(await stateOf(ordered)).not.toBe('ready');
    });
    await becomesReady(ordered);
    expect((await deployment.exec('node1', ['test', '-e', FAILPOINTS_FILE])).exitCode).toBe(1);
  }, 90_000);

  it('lets the kernel kill the largest process of a node, and of a member of etcd', async () => {
    await during({ fault: 'out-of-memory', on: ['node2', 'etcd2'] }, async () => {
      expect(await deployment.state('etcd2')).toBe('exited');
      expect(await deployment.state('node1')).toBe('running');
    });
    expect(await deployment.store.ailment('etcd2')).toBeUndefined();
  }, 90_000);

  it('upgrades all nodes, one after the other, over their own disks', async () => {
    const image = `cobalt-rig/upgrade-test:${deployment.runId}`;
    const id = await orderVolume({ on: 'node2' });
    await becomesReady(id);
    expect(await deployment.hasImage(image)).toBe(false);
    await nemesis.inject('too early', { fault: 'rolling-upgrade', image });
    expect(record.at(-1)).toMatchObject({
      phase: 'unavailable',
      evidence: `there is no image ${image} here`,
    });
    await execa('docker', ['tag', 'cobalt-rig/node:latest', image]);
    try {
      await during({ fault: 'rolling-upgrade', image }, async () => undefined);
      const used = (await execa('docker', ['ps', '--filter', `ancestor=${image}`, '--format', '{{.Image}}']))
        .stdout;
      expect(used.split('\n').filter((line) => line === image)).toHaveLength(2);
      const found = await Promise.all(['node1', 'node2'].map((node) => deployment.inventory(node)));
      expect(found[1]?.volumes.map((volume) => volume.id)).toEqual([id]);
      // What the former containers have logged is not lost with them.
      expect(await deployment.logs('node1')).toMatch(/role\.exited[\s\S]*role\.started/);
    } finally {
      await execa('docker', ['rmi', image]);
    }
  }, 120_000);

  it('heals by `rig reap` what a rig has left that is gone', async () => {
    const file = { scenario: 'test', seed: 1, startedAtMs: 0, checks: [] };
    const { runId, topology } = deployment;
    await writeFile(join(folder, RUN_FILE), JSON.stringify({ ...file, runId, topology }));
    const reap = async () => (await execa('node', ['src/cli/main.ts', 'reap', folder])).stdout.split('\n');
    expect(await reap()).toEqual(['nothing to do: every fault was healed']);

    const reached = async () =>
      (await deployment.exec('node2', ['curl', '-fsS', '-m', '2', 'http://node1:8080/healthz'])).exitCode ===
      0;
    await nemesis.inject('cut', { fault: 'partition', shape: 'isolate', on: 'node1' });
    await nemesis.inject('frozen', { fault: 'pause', on: 'node2', role: 'agent' });
    expect(await reached()).toBe(false);
    const healed = [
      expect.stringMatching(/^healed: pause the agent of node2 \(frozen\): /),
      expect.stringMatching(/^healed: a partition \(isolate\) of node1 \(cut\): packets arrive on/),
    ];
    expect(await reap()).toEqual(healed);
    expect(await reached()).toBe(true);
    expect(await reap()).toEqual(['nothing to do: every fault was healed']);
    for (const node of ['node1', 'node2']) {
      const isBack = async () => (await read(nodeKey(node))) !== undefined || undefined;
      await waitFor({ clock, what: `${node} to be registered`, timeoutMs: 20_000, probe: isBack });
    }
  }, 120_000);
});
