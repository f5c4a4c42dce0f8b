// `rig down`: removes a cluster that was left up.

import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { connectEngine } from '../rig/docker/engine.ts';
import { removeRun } from '../rig/docker/removal.ts';
import { DEFAULT_CLUSTER, parseClusterName, runIdOf, upFolder } from './cluster-name.ts';
import { readSettings } from './settings.ts';

export function registerDown(program: Command): void {
  program
    .command('down')
    .option('--name <name>', 'which cluster of rig up', parseClusterName, DEFAULT_CLUSTER)
    .option('--run <id>', 'a cluster that rig run kept, instead', parseClusterName)
    .action(async ({ name, run }: { readonly name: string; readonly run?: string }) => {
      const docker = await connectEngine(readSettings().engine);
      const removed = await removeRun(docker, run ?? runIdOf(name));
      if (run === undefined) await rm(upFolder(name), { recursive: true, force: true });
      const what = run ?? name;
      process.stdout.write(removed > 0 ? `removed ${what}\n` : `there is no cluster '${what}'\n`);
    });
}
