// `rig faults`: what can be injected, and whether this machine has what it takes.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { ROOT_FOLDER } from '../cluster/root.ts';
import { newRunId } from '../cluster/run-id.ts';
import { readSettings } from '../cluster/settings.ts';
import type { Deployment } from '../rig/deployment.ts';
import { createContainers } from '../rig/docker/containers.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { ensureImages } from '../rig/docker/images.ts';
import { createLinks } from '../rig/docker/links.ts';
import { createMemory } from '../rig/docker/memory.ts';
import { createSidecars } from '../rig/docker/sidecars.ts';
import { faultOf } from '../rig/faults/catalogue.ts';
import type { Site } from '../rig/faults/fault.ts';
import { type Listed, listed, listing, needsCluster } from '../rig/faults/listing.ts';
import type { ClusterView } from '../rig/faults/select.ts';
import { readElapsedMs } from '../rig/record-files.ts';
import { cycleTable } from '../rig/report/cycle-table.ts';
import { faultTimes, type TimedRun } from '../rig/report/cycles.ts';
import { parseTopology } from '../rig/topology.ts';
import { fitted } from './fitted.ts';
import { catchInterrupt } from './interrupt.ts';
import { judgedRun } from './judged-run.ts';
import { help, printJson } from './output.ts';

const FIELDS =
  "Of each fault, the fields that a scenario gives it: whom it hits (a member's name, or leader, follower, one, minority, majority, all, etcd-leader and so on), and how hard. In a scenario's script:";
const SCRIPT = `  { inject: { fault: 'loss', on: 'one',
      percent: 20 }, as: 'lossy' },
  { hold: 1_000, why: 'it lasts' },
  { heal: 'lossy' },`;
const EXAMPLES = [
  'rig faults',
  'rig faults --of runs/20260101-120000-faults-network-7',
  'rig faults --of runs/*-faults-*',
];
const SHAPE =
  '[{"fault", "family", "example", "takes", "lacks"?, "needs"?}], and with --of [{"fault", "times", "showedAfterMs", "healedAfterMs", "cycleMs", "withShareMs", "judged": {"valid", "invalid", "unknown"}}]';

export function registerFaults(program: Command): void {
  program
    .command('faults')
    .option('--of <run...>', 'instead: how long each fault took in these runs, and what their checks said')
    .option('--json', 'print them as JSON')
    .addHelpText('after', `\n${fitted(FIELDS, '')}\n${SCRIPT}\n${help(EXAMPLES, SHAPE)}`)
    .action(async ({ of: folders, json }: { readonly of?: readonly string[]; readonly json?: boolean }) => {
      const columns = process.stdout.columns ?? 80;
      const tell = <T>(found: readonly T[], lines: (found: readonly T[]) => readonly string[]): void => {
        if (json === true) printJson(found);
        else process.stdout.write(`${lines(found).join('\n')}\n`);
      };
      if (folders === undefined) tell(await listAll(), (found) => listing(found, columns));
      else tell(faultTimes(await timedRuns(folders)), (found) => cycleTable(found, { columns }));
    });
}

/** What is tried out on the kernel is in a container of its own, which is removed before Ctrl-C ends anything. */
async function listAll(): Promise<readonly Listed[]> {
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  const site = await siteWithoutCluster();
  const found = await listed(async (spec) =>
    needsCluster(spec) ? undefined : faultOf(spec).missing?.(site, spec),
  );
  if (interrupt.signal.aborted) throw new RigError('aborted', 'interrupted');
  return found;
}

async function timedRuns(folders: readonly string[]): Promise<readonly TimedRun[]> {
  const runs: TimedRun[] = [];
  for (const folder of folders) {
    runs.push({ ...(await judgedRun(folder)), elapsedMs: await readElapsedMs(folder) });
  }
  return runs;
}

/** Enough of one to ask what the machine lacks. */
async function siteWithoutCluster(): Promise<Site> {
  const docker = await connectEngine(readSettings().engine);
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  const { links: image } = await ensureImages(docker, { root: ROOT_FOLDER, onProgress });
  const runId = newRunId();
  const clock = createSystemClock();
  const containers = createContainers(docker, clock, runId);
  const sidecars = createSidecars({ docker, clock, containers, image, project: runId, runId });
  const deployment: Partial<Deployment> = {
    topology: parseTopology({ nodes: [{ name: 'node1' }] }, 'rig faults'),
    links: createLinks({ sidecars, members: () => [] }),
    memory: createMemory(docker, containers),
    disks: { missing: async () => undefined } as unknown as Deployment['disks'],
  };
  const view: Partial<ClusterView> = { nodes: ['node1'], etcd: ['etcd'], consumers: [] };
  return { deployment, view: async () => view } as unknown as Site;
}
