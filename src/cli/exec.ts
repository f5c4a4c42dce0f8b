// `rig exec`: a command in a member of a cluster.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { createContainers } from '../rig/docker/containers.ts';
import { projectOf } from '../rig/docker/deploy.ts';
import { execHere } from '../rig/docker/exec-here.ts';
import { type ClusterFlags, chooseCluster, memberOf, withClusterOptions } from './clusters.ts';
import { help, printJson } from './output.ts';

export function registerExec(program: Command): void {
  withClusterOptions(program.command('exec'))
    .argument('<member>', 'a node, a member of etcd or a consumer')
    .argument('<command...>', 'what to run in it; after -- where it has options')
    .option('--json', 'print what it came to as JSON, with nothing to read from')
    .addHelpText(
      'after',
      help(
        [
          'rig exec node1 -- btrfs subvolume list /srv',
          'rig exec etcd -- etcdctl endpoint status',
          'rig exec node1 bash',
        ],
        '{"exitCode", "stdout", "stderr"}',
        'Exits with what the command exits with.',
      ),
    )
    .action(
      async (name: string, command: readonly string[], flags: ClusterFlags & { readonly json?: boolean }) => {
        const cluster = await chooseCluster(flags);
        const { container } = memberOf(cluster, name);
        if (flags.json !== true) {
          process.exitCode = await execHere(container, command);
          return;
        }
        const containers = createContainers(cluster.docker, createSystemClock(), projectOf(cluster.runId));
        const result = await containers.exec(name, command);
        printJson(result);
        process.exitCode = result.exitCode;
      },
    );
}
