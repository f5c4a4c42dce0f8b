// The disks of nodes, broken and looked at by commands in their containers.

import { RigError } from '../../base/errors.ts';
import type { DiskCondition, Disks, ExecResult } from '../deployment.ts';
import { createConditions } from '../keyed-conditions.ts';
import { presentNodes, type Topology } from '../topology.ts';
import type { Containers } from './containers.ts';
import { BREAKABLE, NOT_HERE, setCommand, volumeCommand, writeCommand, writeOf } from './disk-commands.ts';

export interface ContainerDisks extends Disks {
  /** Puts in force again what a node that was started since has lost. */
  refresh(node: string): Promise<void>;
}

export function createDisks(options: {
  readonly containers: Containers;
  readonly topology: () => Topology;
}): ContainerDisks {
  const { containers, topology } = options;
  const done = (node: string, { exitCode, stdout, stderr }: ExecResult): void => {
    if (exitCode === 0) return;
    throw new RigError('machine', `cannot change the disk of ${node}: ${(stderr || stdout).trim()}`);
  };

  const conditions = createConditions<DiskCondition>({
    state: containers.state,
    apply: async (node, all) => done(node, await containers.exec(node, setCommand(all))),
  });

  /** By node, wherever the volume is. */
  const inVolume = async (does: 'fill' | 'empty' | 'try', volume: string) => {
    const answers = await Promise.all(
      presentNodes(topology()).map(async ({ name }) => {
        if ((await containers.state(name)) !== 'running') return [];
        const result = await containers.exec(name, volumeCommand(does, volume));
        return result.exitCode === NOT_HERE ? [] : [[name, result] as const];
      }),
    );
    return answers.flat();
  };

  return {
    set: conditions.set,
    inForce: (node) => conditions.of(node),
    refresh: conditions.refresh,
    write: async (node, bytes) => writeOf(await containers.exec(node, writeCommand(bytes))),
    fillVolume: async (volume) => {
      const filled = await inVolume('fill', volume);
      if (filled.length === 0) throw new RigError('not_found', `no node that runs has ${volume} on its disk`);
      for (const [node, result] of filled) done(node, result);
    },
    emptyVolume: async (volume) => {
      for (const [node, result] of await inVolume('empty', volume)) done(node, result);
    },
    writeVolume: async (volume) =>
      new Map((await inVolume('try', volume)).map(([node, result]) => [node, writeOf(result)])),
    missing: async (node) => {
      const { exitCode } = await containers.exec(node, BREAKABLE);
      return exitCode === 0 ? undefined : `${node} has no FUSE, which a breakable disk needs`;
    },
  };
}
