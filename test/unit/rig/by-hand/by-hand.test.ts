// What is done to a cluster by hand: to whom, and on which record.

import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { readClusterFile, writeClusterFile } from '../../../../src/rig/by-hand/cluster-file.ts';
import { BY_HAND_FILE, freeId, openHandRecord } from '../../../../src/rig/by-hand/record.ts';
import { rolesIn } from '../../../../src/rig/by-hand/roles.ts';
import { describeTarget, resolveTargets } from '../../../../src/rig/by-hand/targets.ts';
import type { Act } from '../../../../src/rig/deployment.ts';
import { parseTopology } from '../../../../src/rig/topology.ts';
import { fakeSite } from '../faults/fake-site.ts';

const clock = createSystemClock();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-hand-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const event = (phase: 'inject' | 'healed', id: string) =>
  ({ type: 'nemesis', phase, id, fault: { fault: 'pause', on: 'node1' }, members: ['node1'] }) as const;
const owed = async () => (await openHandRecord(folder, clock)).owed.map(({ id }) => id);

describe('the record of what was injected by hand', () => {
  it('is known to whoever comes later, and tells what is not healed', async () => {
    expect(await owed()).toEqual([]);
    const record = await openHandRecord(folder, clock);
    record.write(event('inject', 'pause'));
    record.write(event('inject', 'pause-2'));
    expect(await owed()).toEqual(['pause', 'pause-2']);
    record.write(event('healed', 'pause'));
    expect(await owed()).toEqual(['pause-2']);
    expect((await openHandRecord(folder, clock)).used).toEqual(new Set(['pause', 'pause-2']));
  });

  it('goes on where that of the run ends, which stays as it is', async () => {
    const run = JSON.stringify({ atMs: 1, ...event('inject', 'frozen') });
    writeFileSync(join(folder, 'history.jsonl'), `${run}\n{"half`);
    expect(await owed()).toEqual(['frozen']);
    (await openHandRecord(folder, clock)).write(event('healed', 'frozen'));
    expect(await owed()).toEqual([]);
  });

  it('is refused when a line is no JSON, and told when it can not be written', async () => {
    appendFileSync(join(folder, BY_HAND_FILE), 'x\n');
    await expect(owed()).rejects.toThrow(`${BY_HAND_FILE}, line 1 is not JSON`);
    const record = await openHandRecord('/proc', clock);
    expect(() => record.write(event('inject', 'pause'))).toThrow('cannot write /proc/by-hand.jsonl');
  });

  it('gives every fault a name of its own', () => {
    expect(freeId('loss', new Set())).toBe('loss');
    expect(freeId('loss', new Set(['loss', 'loss-2']))).toBe('loss-3');
  });
});

describe('what a cluster was started from', () => {
  const topology = parseTopology({ nodes: [{ name: 'node1' }] }, 'test');

  it('is read again, of rig up and of a run', async () => {
    writeClusterFile(folder, { runId: 'up-mine', topology });
    expect(await readClusterFile(folder)).toEqual({ runId: 'up-mine', topology, isOver: true, isKept: true });
    rmSync(join(folder, 'cluster.json'));
    const run = { scenario: 's', seed: 1, startedAtMs: 0, checks: [], runId: 'a1', topology };
    const writeRun = (more: object) =>
      writeFileSync(join(folder, 'run.json'), JSON.stringify({ ...run, ...more }));
    writeRun({});
    expect(await readClusterFile(folder)).toMatchObject({ runId: 'a1', isOver: false });
    writeRun({ etcdComplete: true });
    expect(await readClusterFile(folder)).toMatchObject({ isOver: true, isKept: false });
    writeRun({ etcdComplete: true, kept: true });
    expect(await readClusterFile(folder)).toMatchObject({ isKept: true });
  });

  it('is missed in a folder that is none', async () => {
    await expect(readClusterFile(folder)).rejects.toThrow('has neither cluster.json nor run.json');
  });
});

describe('whom an act is done to', () => {
  const who = async (
    texts: readonly string[],
    act: Act,
    states: Readonly<Record<string, 'exited' | 'paused'>> = {},
  ) => {
    const fake = fakeSite({});
    for (const [node, state] of Object.entries(states)) fake.states.set(node, state);
    const running = ['node1', 'node2', 'node3'].filter((node) => states[node] === undefined);
    const view = async () => ({ ...(await fake.site.view()), nodes: running, leader: running[0] });
    return (await resolveTargets({ ...fake.site, view }, texts, act)).map(describeTarget);
  };

  it('is each once, by name, by what it is, or a role of it', async () => {
    expect(await who(['node2', 'leader', 'node1', 'leader/engine'], 'kill')).toEqual([
      'node2',
      'node1',
      'engine of node1',
    ]);
  });

  it('is of all those to whom it can be done', async () => {
    const states = { node1: 'exited', node2: 'paused' } as const;
    expect(await who(['all'], 'start', states)).toEqual(['node1']);
    expect(await who(['all'], 'resume', states)).toEqual(['node2']);
    expect(await who(['all'], 'kill', states)).toEqual(['node3']);
  });

  it('is nobody whom the cluster does not have', async () => {
    await expect(who(['node9'], 'kill')).rejects.toMatchObject({
      message: "the cluster has no member 'node9'",
      next: expect.stringContaining('etcd, node1, node2, node3'),
    });
    await expect(who(['all'], 'start')).rejects.toThrow("nobody in the cluster is 'all' now");
  });
});

describe('the roles of a node', () => {
  it('are what ps says of their processes', () => {
    const stdout = [
      'Ss   /sbin/docker-init -- node /app/src/daemon/main.ts',
      'Sl   node /app/src/daemon/main.ts --role api',
      'Tl   node /app/src/daemon/main.ts --role agent',
      'Z    node /app/src/daemon/main.ts --role engine',
    ].join('\n');
    expect([...rolesIn({ exitCode: 0, stdout, stderr: '' })]).toEqual([
      ['api', 'running'],
      ['agent', 'frozen'],
    ]);
    expect(rolesIn({ exitCode: 1, stdout: '', stderr: 'no ps' }).size).toBe(0);
  });
});
