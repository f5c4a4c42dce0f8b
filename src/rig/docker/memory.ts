// The memory of members: a limit put on a container that runs, and a file in its
// memory (tmpfs) that takes up what the limit leaves. No process owns that file,
// so that the kernel, to make room, kills whichever is the largest.

import type Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';
import type { Memory } from '../deployment.ts';
import { type Containers, engine } from './containers.ts';
import { anonymousBytes, killsOf, type MemoryStats } from './memory-figures.ts';

const MIB = 1024 ** 2;
/**
 * What is left to the member, tried in this order: the kernel refuses a limit that is below what its processes have
 * taken by then, and they may have grown since they were looked at.
 */
const ROOMS_BYTES = [16 * MIB, 24 * MIB, 32 * MIB];
/** More than any room; the engine gives a container 64 MiB of such files. */
const FILL_MIB = 48;
const FILE = '/dev/shm/cobalt-fill';
const FILL = ['timeout', '10', 'dd', 'if=/dev/zero', `of=${FILE}`, 'bs=1M', `count=${FILL_MIB}`];
/** Version 1 and version 2 of the kernel's control groups; one of them isn't there. */
const COUNT = [
  'sh',
  '-c',
  'cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null || true',
];

export function createMemory(docker: Docker, containers: Containers): Memory {
  const limit = async (member: string, bytes: { readonly Memory: number; readonly MemorySwap: number }) => {
    const container = await containers.get(member);
    await engine(`limit the memory of ${member}`, () => container.update(bytes));
  };
  const isRunning = async (member: string) => (await containers.state(member)) === 'running';

  const taken = async (member: string): Promise<number> => {
    const container = await containers.get(member);
    const stats = await engine(`read the memory of ${member}`, () =>
      container.stats({ stream: false, 'one-shot': true }),
    );
    return anonymousBytes(stats as unknown as MemoryStats);
  };
  const leave = async (member: string, roomBytes: number): Promise<void> => {
    const bytes = (await taken(member)) + roomBytes;
    await limit(member, { Memory: bytes, MemorySwap: bytes });
  };

  return {
    exhaust: async (member) => {
      await leaveRoom((roomBytes) => leave(member, roomBytes));
      // It may end with the container, or be killed for it.
      await containers.exec(member, FILL).catch(() => undefined);
    },
    lift: async (member) => {
      const { MemTotal } = await engine('ask for its memory', () => docker.info());
      const limited = (await containers.inspect(member)).HostConfig.Memory ?? 0;
      if (limited === 0 || limited >= MemTotal) return;
      // A limit can't be taken away, only raised; with swap it is twice as much, as the engine has it by default.
      await limit(member, { Memory: MemTotal, MemorySwap: 2 * MemTotal });
      if (!(await isRunning(member))) return;
      const { exitCode, stderr } = await containers.exec(member, ['rm', '-f', FILE]);
      if (exitCode !== 0)
        throw new RigError('machine', `cannot free the memory of ${member}: ${stderr.trim()}`);
    },
    kills: async (member) => {
      if (await isRunning(member)) return killsOf((await containers.exec(member, COUNT)).stdout);
      // Its control group, which counts, is gone; that it ended by SIGKILL says nothing of why.
      return (await containers.inspect(member)).State.OOMKilled ? 1 : 0;
    },
    missing: async () =>
      (await engine('ask what it can limit', () => docker.info())).MemoryLimit
        ? undefined
        : 'the kernel or the engine cannot limit memory (memory control group)',
  };
}

/** Limits a member to what it has taken and as little more as the kernel accepts. Throws as `leave`, which limits it. */
export async function leaveRoom(
  leave: (roomBytes: number) => Promise<void>,
  roomsBytes: readonly number[] = ROOMS_BYTES,
): Promise<void> {
  const [roomBytes = 0, ...larger] = roomsBytes;
  try {
    await leave(roomBytes);
  } catch (error) {
    // The words are runc's.
    if (larger.length === 0 || !/unable to set memory limit/.test(String(error))) throw error;
    await leaveRoom(leave, larger);
  }
}
