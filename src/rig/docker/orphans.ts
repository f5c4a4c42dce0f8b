// Which runs have something on an engine, and whose rig is no more: told by labels alone, so that
// nothing is touched that isn't the rig's.

import type Docker from 'dockerode';
import { GUARD_LABEL, RUN_LABEL } from '../compose/render.ts';
import { folderIn } from './clusters.ts';
import { engine } from './containers.ts';
import { reaperName } from './reaper.ts';
import { listLabelled } from './removal.ts';

export interface RunOnEngine {
  readonly runId: string;
  /** Containers, networks and volumes, such as `container cobalt-1a2b3c4d-node1-1`. */
  readonly things: readonly string[];
  /** Where its compose file is, on the machine that started it; undefined where no container of Compose's is left. */
  readonly folder: string | undefined;
  /** False once both its rig and the reaper of that are gone; undefined where no label names a reaper. */
  readonly isGuarded: boolean | undefined;
}

/** By run id. Throws `machine` when the engine doesn't tell. */
export async function listRuns(docker: Docker): Promise<readonly RunOnEngine[]> {
  const things = await engine('list what is labelled as a run', () => labelledThings(docker));
  const reapers = await engine('list reapers', () => namesOfContainers(docker));
  const byRun = Map.groupBy(things, ({ labels }) => labels[RUN_LABEL] ?? '');
  return [...byRun]
    .map(([runId, own]) => {
      const guard = first(own, GUARD_LABEL);
      return {
        runId,
        things: own.map(({ thing }) => thing),
        folder: own.map(({ labels }) => folderIn(labels)).find((folder) => folder !== undefined),
        isGuarded: guard === undefined ? undefined : reapers.has(reaperName(guard)),
      };
    })
    .sort((a, b) => (a.runId < b.runId ? -1 : 1));
}

interface Thing {
  readonly thing: string;
  readonly labels: Readonly<Record<string, string>>;
}

const first = (things: readonly Thing[], label: string): string | undefined =>
  things.map(({ labels }) => labels[label]).find((value) => value !== undefined);

async function labelledThings(docker: Docker): Promise<readonly Thing[]> {
  const { containers, networks, volumes } = await listLabelled(docker, RUN_LABEL);
  return [
    ...containers.map(({ Names, Labels }) => ({ thing: `container ${nameIn(Names)}`, labels: Labels })),
    ...networks.map(({ Name, Labels }) => ({ thing: `network ${Name}`, labels: Labels ?? {} })),
    ...volumes.map(({ Name, Labels }) => ({ thing: `volume ${Name}`, labels: Labels })),
  ];
}

const nameIn = (names: readonly string[]): string => names[0]?.replace(/^\//, '') ?? '';

async function namesOfContainers(docker: Docker): Promise<ReadonlySet<string>> {
  return new Set((await docker.listContainers()).map(({ Names }) => nameIn(Names)));
}
