// How a member that grows meanwhile is limited to what it has taken.

import { expect, it } from '@jest/globals';
import type Docker from 'dockerode';
import { RigError } from '../../../src/base/errors.ts';
import type { Containers } from '../../../src/rig/docker/containers.ts';
import { createMemory, leaveRoom } from '../../../src/rig/docker/memory.ts';

const BELOW_USE = new RigError(
  'machine',
  'cannot limit the memory of node1: runc did not terminate successfully: exit status 1: ' +
    'unable to set memory limit to 214843392 (current usage: 215392256, peak usage: 215441408)',
);

/** A kernel that refuses the first limits, one for each failure, and what it was asked for. */
function kernel(failures: readonly Error[]) {
  const asked: number[] = [];
  const leave = async (roomBytes: number): Promise<void> => {
    asked.push(roomBytes);
    const failure = failures[asked.length - 1];
    if (failure !== undefined) throw failure;
  };
  return { asked, leave };
}

it('leaves more room, in steps, to a member that has grown beyond the limit meanwhile', async () => {
  const { asked, leave } = kernel([BELOW_USE, BELOW_USE]);
  await leaveRoom(leave, [1, 2, 3]);
  expect(asked).toEqual([1, 2, 3]);
});

it('gives up when the last room is refused, and at once when something else is wrong', async () => {
  const growing = kernel([BELOW_USE, BELOW_USE]);
  await expect(leaveRoom(growing.leave, [1, 2])).rejects.toBe(BELOW_USE);
  const gone = kernel([new RigError('not_found', 'there is no node1')]);
  await expect(leaveRoom(gone.leave, [1, 2])).rejects.toMatchObject({ code: 'not_found' });
  expect(gone.asked).toEqual([1]);
});

it('takes only what the kernel has killed for want of memory for evidence of that', async () => {
  const exited = (State: { readonly OOMKilled: boolean; readonly ExitCode: number }) =>
    createMemory(
      {} as Docker,
      {
        state: async () => 'exited',
        inspect: async () => ({ State }),
      } as unknown as Containers,
    ).kills('node1');
  expect(await exited({ OOMKilled: true, ExitCode: 137 })).toBe(1);
  expect(await exited({ OOMKilled: false, ExitCode: 137 })).toBe(0);
});
