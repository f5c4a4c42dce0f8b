// Removes what there is of a run, by its label: what Compose has lost track of, too.

import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { waitFor } from '../../base/retry.ts';
import { RUN_LABEL } from '../compose/render.ts';
import { engine } from './containers.ts';

export const runLabel = (runId: string): string => `${RUN_LABEL}=${runId}`;

/** All that has a label, whose value may be left out. */
export async function listLabelled(docker: Docker, label: string) {
  const filters = { label: [label] };
  const [containers, networks, { Volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters }),
  ]);
  return { containers, networks, volumes: Volumes ?? [] };
}

/** Removes by label whatever of a run there is, containers first; answers with how many things that was. */
export async function removeRun(docker: Docker, runId: string): Promise<number> {
  return engine(`remove what is labelled ${runLabel(runId)}`, async () => {
    const { containers, networks, volumes } = await listLabelled(docker, runLabel(runId));
    await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true })));
    await Promise.all([
      ...networks.map(({ Id }) => docker.getNetwork(Id).remove()),
      ...volumes.map(({ Name }) => docker.getVolume(Name).remove({ force: true })),
    ]);
    return containers.length + networks.length + volumes.length;
  });
}

const STILL_COMING_MS = 30_000;

/**
 * A Compose that was cut short may have asked the engine for more, which it makes for nobody: removes until no more
 * shows up. Throws `timeout` where it goes on for 30 s.
 */
export async function removeWhatComes(options: {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly runId: string;
}): Promise<void> {
  const { docker, clock, runId } = options;
  let found = 1;
  await waitFor({
    clock,
    what: `nothing of run ${runId} to be made any more`,
    timeoutMs: STILL_COMING_MS,
    intervalMs: 500,
    probe: async () => {
      const before = found;
      found = 1;
      found = await removeRun(docker, runId);
      return before + found === 0 ? true : undefined;
    },
  });
}
