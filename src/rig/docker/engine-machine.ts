// The machine that the containers run on, for the record of how starved it is. It may be
// another than the rig's: a desktop's virtual machine, or one that DOCKER_HOST names.

import { release } from 'node:os';
import type Docker from 'dockerode';
import { type Machine, thisMachine } from '../machine.ts';
import { engine } from './containers.ts';

/** Of what the engine says of itself. */
export interface EngineInfo {
  readonly NCPU: number;
  readonly KernelVersion: string;
}

export async function machineOf(docker: Docker): Promise<Machine> {
  const info: EngineInfo = await engine('ask what it runs on', () => docker.info());
  return machineIn(info, { kernel: release(), own: thisMachine });
}

/**
 * The cores are the engine's: this process may be let use less of them, in a container of its own. How many tasks wait is
 * told by the kernel, so only where both have the same; elsewhere nobody tells. Pure.
 */
export function machineIn(
  { NCPU, KernelVersion }: EngineInfo,
  here: { readonly kernel: string; readonly own: Machine },
): Machine {
  const isHere = KernelVersion === here.kernel;
  return { cores: NCPU, runnable: isHere ? here.own.runnable : () => undefined };
}
