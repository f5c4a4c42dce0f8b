// `rig down`: removes a cluster that was left up.

import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { readSettings } from '../cluster/settings.ts';
import { listClusters } from '../rig/docker/clusters.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { removeRun } from '../rig/docker/removal.ts';
import { nameOf, upFolder } from './cluster-name.ts';
import { type ClusterFlags, labelOf, noCluster, runIdIn, withClusterOptions } from './clusters.ts';
import { fitted } from './fitted.ts';
import { help, printJson } from './output.ts';

export function registerDown(program: Command): void {
  withClusterOptions(program.command('down'))
    .option('--json', 'print what was removed as JSON')
    .addHelpText(
      'after',
      help(
        ['rig down', 'rig down --name mine', 'rig down --run 1a2b3c4d'],
        '{"cluster", "removed": how many containers, networks and volumes}',
        'That there is nothing to remove is no error.',
      ),
    )
    .action(async (flags: ClusterFlags & { readonly json?: boolean }) => {
      const runId = await runIdIn(flags);
      const docker = await connectEngine(readSettings().engine);
      const all = await listClusters(docker);
      const removed = await removeRun(docker, runId);
      await forget(runId, all.find((cluster) => cluster.runId === runId)?.folder);
      if (flags.json === true) {
        printJson({ cluster: labelOf(runId), removed });
        return;
      }
      const { message } = noCluster(runId, all);
      process.stdout.write(removed > 0 ? `removed ${labelOf(runId)}\n` : `${fitted(message, '  ')}\n`);
    });
}

/** The folder of a cluster of `rig up`; that of a run is its record. */
async function forget(runId: string, folder: string | undefined): Promise<void> {
  const name = nameOf(runId);
  if (name === undefined) return;
  // What a label says is nothing to remove a folder by, unless it is the one.
  const own = folder !== undefined && basename(folder) === runId ? folder : upFolder(name);
  await rm(own, { recursive: true, force: true });
}
