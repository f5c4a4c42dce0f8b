// A member's process group: what is killed, stopped and frozen with it.

import { afterEach, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { createMember, type Member } from '../../../src/process/member.ts';
import { endProcessesOfRun, groupMembers, processesOfRun } from '../../../src/process/processes.ts';
import type { ContainerState } from '../../../src/rig/deployment.ts';

const clock = createSystemClock();
const RUN = `member-test-${process.pid}`;

/** A shell that starts a child and prints, and waits for it. */
const PARENT_AND_CHILD = 'sleep 1000 & echo started; wait';

let seen: ContainerState[];

function shell(script: string): Member {
  seen = [];
  return createMember({
    name: 'shell',
    runId: RUN,
    clock,
    program: () => ({ file: '/bin/sh', args: ['-c', script], environment: { PATH: '/usr/bin:/bin' } }),
    onState: (state) => seen.push(state),
  });
}

const printed = (member: Member, text: string): Promise<true> =>
  waitFor({
    clock,
    what: `'${text}' to be printed`,
    timeoutMs: 10_000,
    intervalMs: 5,
    probe: async () => member.printed.some((line) => line.includes(text)) || undefined,
    describe: () => member.printed.join(''),
  });

const states = (member: Member): readonly string[] => groupMembers(member.pid ?? 0).map(({ state }) => state);

afterEach(() => endProcessesOfRun(clock, RUN));

it('is killed with all that it has started', async () => {
  const member = shell(PARENT_AND_CHILD);
  await member.act('start');
  await printed(member, 'started');
  expect(member.pids()).toHaveLength(2);
  await member.act('kill');
  expect(member.state).toBe('exited');
  expect(member.pids()).toEqual([]);
  expect(processesOfRun(RUN)).toEqual([]);
});

it('takes along what it has started when it ends by itself', async () => {
  const member = shell('sleep 1000 & echo started; exit 3');
  await member.act('start');
  await waitFor({
    clock,
    what: 'nothing to be left',
    timeoutMs: 10_000,
    probe: async () => (member.state === 'exited' && processesOfRun(RUN).length === 0) || undefined,
  });
  expect(seen).toEqual(['running', 'exited']);
});

it('is frozen with all that it has started, and thawed', async () => {
  const member = shell(PARENT_AND_CHILD);
  await member.act('start');
  await printed(member, 'started');
  await member.act('pause');
  expect(states(member)).toEqual(['T', 'T']);
  expect(member.state).toBe('paused');
  await member.act('resume');
  await waitFor({
    clock,
    what: 'all to go on',
    timeoutMs: 10_000,
    probe: async () => states(member).every((state) => state === 'S') || undefined,
  });
  expect(member.state).toBe('running');
});

it('may end in peace, even when it was frozen, and is started anew', async () => {
  const member = shell('trap "echo bye; exit 0" TERM; echo started; while :; do sleep 0.05; done');
  await member.act('start');
  await printed(member, 'started');
  await member.act('pause');
  await member.act('stop');
  expect(member.state).toBe('exited');
  expect(member.printed.at(-1)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z bye\n$/);
  await member.act('start');
  expect(member.incarnation).toBe(2);
});

it('refuses what its state does not allow', async () => {
  const member = shell('sleep 1000');
  await expect(member.act('kill')).rejects.toMatchObject({ code: 'conflict' });
  await member.act('start');
  await expect(member.act('start')).rejects.toMatchObject({ code: 'conflict' });
});

it('says that its program is not there', async () => {
  const member = createMember({
    name: 'none',
    runId: RUN,
    clock,
    program: () => ({ file: '/nowhere/etcd', args: [], environment: {} }),
    onState: () => undefined,
  });
  await expect(member.act('start')).rejects.toMatchObject({
    code: 'machine',
    message: expect.stringContaining('cannot start none'),
  });
});
