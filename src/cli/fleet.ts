// `rig fleet`: simulated nodes in front of a real etcd, for as long as the command runs.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { RigError } from '../base/errors.ts';
import { createCluster, runningIn } from '../fleet/cluster-file.ts';
import { BUILT_IN, DEFAULT_PROFILE } from '../fleet/profiles.ts';
import {
  clusterOf,
  DEFAULTS,
  type FleetFlags,
  parseCount,
  parseEndpoints,
  parsePrefix,
} from './fleet-options.ts';
import { wholeNumber } from './numbers.ts';
import { help } from './output.ts';
import { runFleet } from './run-fleet.ts';

interface Flags extends FleetFlags {
  readonly port?: number;
  readonly control?: boolean;
  readonly logs: boolean;
  readonly seconds?: number;
}

/** Options of every command that makes a cluster. */
export function withFleetOptions(command: Command): Command {
  return command
    .requiredOption('--nodes <number>', 'how many simulated nodes', parseCount)
    .option(
      '--etcd <endpoints>',
      "an etcd that is there; who the nodes are to it, a daemon's COBALT_ETCD_... say (default: one of its own)",
      parseEndpoints,
    )
    .option('--prefix <name>', 'what the names of the nodes begin with', parsePrefix, DEFAULTS.prefix)
    .option(
      '--profile <name>',
      `their hardware: ${Object.keys(BUILT_IN).join(', ')}, or a file in YAML`,
      DEFAULT_PROFILE,
    )
    .option(
      '--heartbeat <seconds>',
      'between two renewals of a lease, which lasts three times as long',
      wholeNumber('number of seconds', 1, 200),
      DEFAULTS.heartbeatSeconds,
    )
    .addOption(
      new Option('--shared-devices <number>', 'disks that several nodes see')
        .argParser(wholeNumber('number of devices', 0, 1000))
        .default(DEFAULTS.sharedDevices),
    )
    .addOption(
      new Option('--seen-by <number>', 'how many nodes see each shared device')
        .argParser(wholeNumber('number of nodes', 2, 16))
        .default(DEFAULTS.seenBy),
    );
}

export function registerFleet(program: Command): void {
  withFleetOptions(program.command('fleet'))
    .option('--port <number>', 'of the figures, on 127.0.0.1', wholeNumber('port', 1, 65_535))
    .option('--control', 'start an API and an engine, too (default: with an etcd of its own)')
    .option('--no-control', 'start neither')
    .option('--logs', "keep the nodes' logs while it runs", false)
    .option(
      '--seconds <number>',
      'end by itself after so long',
      wholeNumber('number of seconds', 1, 1_000_000),
    )
    .addHelpText(
      'after',
      help(['rig fleet --nodes 2000', 'rig fleet --nodes 500 --etcd http://127.0.0.1:2379 --profile hdd']),
    )
    .action(fleet);
}

async function fleet(flags: Flags): Promise<void> {
  const folder = join('runs', `fleet-${flags.prefix}`);
  if ((await runningIn(folder)) !== undefined) {
    throw new RigError('conflict', `a fleet with the prefix '${flags.prefix}' runs already`, {
      next: 'Give this one another --prefix.',
    });
  }
  const cluster = await clusterOf(flags);
  // What one that was killed has left.
  await rm(folder, { recursive: true, force: true });
  await createCluster(folder, cluster);
  try {
    await runFleet({
      folder,
      keepsDisks: false,
      control: flags.control ?? flags.etcd === undefined,
      port: flags.port,
      logLevel: flags.logs ? 'info' : 'error',
      everyMs: flags.heartbeat * 1000,
      durationMs: flags.seconds === undefined ? undefined : flags.seconds * 1000,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
