import { describe, expect, it } from '@jest/globals';
import { machineIn } from '../../../src/rig/docker/engine-machine.ts';

describe('the machine that containers run on', () => {
  const own = { cores: 2, runnable: () => 7 };
  const info = { NCPU: 16, KernelVersion: '6.18.0' };

  it("has the engine's cores, and this kernel's tasks where the engine runs on it", () => {
    const machine = machineIn(info, { kernel: '6.18.0', own });
    expect([machine.cores, machine.runnable()]).toEqual([16, 7]);
  });

  it('is one of which nobody tells how many tasks wait, where it is another', () => {
    const machine = machineIn(info, { kernel: '6.1.0', own });
    expect([machine.cores, machine.runnable()]).toEqual([16, undefined]);
  });
});
