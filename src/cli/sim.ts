// `rig sim`: a simulated cluster that is kept in a folder, and comes back as it was.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { type PowerAct, powered, scaled } from '../fleet/cluster.ts';
import { changeCluster, createCluster, readCluster, runningIn } from '../fleet/cluster-file.ts';
import { BUILT_IN, profileSchema } from '../fleet/profiles.ts';
import { createHttpNetwork } from '../network/http.ts';
import { withFleetOptions } from './fleet.ts';
import {
  clusterOf,
  DEFAULTS,
  type FleetFlags,
  parseCount,
  readProfile,
  withProfile,
} from './fleet-options.ts';
import { wholeNumber } from './numbers.ts';
import { help, printJson, printLine } from './output.ts';
import { runFleet, statusLine } from './run-fleet.ts';
import { parseStatus } from './sim-status.ts';
import { declared, described, devicesTable, nodesTable, profilesTable } from './sim-text.ts';

interface JsonFlag {
  readonly json?: boolean;
}

interface StateFlag {
  readonly state: string;
}

const withState = (command: Command): Command =>
  command.option('--state <folder>', 'where the cluster is kept', DEFAULTS.state);

export function registerSim(program: Command): void {
  const sim = program
    .command('sim')
    .addHelpText(
      'after',
      help(
        [
          'rig sim setup --nodes 20 --profile ssd --shared-devices 4',
          'rig sim run --control',
          'rig sim power off node3',
        ],
        'status: {"version", "nodes": [{"name", "profile", "power", "cycles", "leaving"}], "devices", "running"}; profiles: by name',
      ),
    );
  withState(
    withFleetOptions(sim.command('setup').description('declare a cluster; nothing is started')),
  ).action(setup);
  withState(
    sim.command('register').description('let every node join the cluster once, then end them'),
  ).action(async ({ state }: StateFlag) => {
    await runFleet({ ...quiet, folder: state, untilRegistered: true, everyMs: 1000 });
    printLine(`registered; go on with: rig sim run --state ${state}`);
  });
  withState(sim.command('run').description('run it until Ctrl-C, after which it can be run again'))
    .option('--port <number>', 'of the figures, on 127.0.0.1', wholeNumber('port', 1, 65_535))
    .option('--control', 'start an API and an engine, too (default: with an etcd of its own)')
    .option('--no-control', 'start neither')
    .option(
      '--seconds <number>',
      'end by itself after so long',
      wholeNumber('number of seconds', 1, 1_000_000),
    )
    .action(run);
  withState(
    sim.command('power').description('switch nodes on or off, or off and on again, also while they run'),
  )
    .argument('<act>', 'on, off or cycle', parseAct)
    .argument('[nodes...]', 'their names')
    .option('--all', 'every node', false)
    .action(power);
  withState(
    sim.command('scale').description('have so many nodes, also while they run; what came last goes first'),
  )
    .argument('<number>', 'how many', parseCount)
    .option('--drain', 'empty a node before it goes, which takes an engine', false)
    .option('--profile <name>', 'hardware of nodes to come, built in or a file in YAML')
    .action(scale);
  withState(sim.command('status').description('what is declared, and how it is'))
    .option('--nodes', 'each node', false)
    .option('--json', 'print all of it as JSON')
    .action(status);
  sim
    .command('profiles')
    .description('the hardware profiles that are built in')
    .option('--json', 'print them as JSON')
    .action(({ json }: JsonFlag) => {
      const all = Object.fromEntries(
        Object.entries(BUILT_IN).map(([name, profile]) => [name, profileSchema.parse(profile)]),
      );
      if (json === true) printJson(all);
      else process.stdout.write(profilesTable(all));
    });
}

const quiet = { keepsDisks: true, control: false, logLevel: 'info' } as const;

function parseAct(text: string): PowerAct {
  if (text === 'on' || text === 'off' || text === 'cycle') return text;
  throw new RigError('invalid', `'${text}' is nothing that can be done with power`, {
    next: 'Give on, off or cycle.',
  });
}

async function setup(flags: FleetFlags & StateFlag): Promise<void> {
  const cluster = await clusterOf(flags);
  await createCluster(flags.state, cluster);
  printLine(
    `${described(cluster)} in ${flags.state}; start it with: rig sim run${
      flags.state === DEFAULTS.state ? '' : ` --state ${flags.state}`
    }`,
  );
}

async function run(
  flags: StateFlag & { readonly port?: number; readonly control?: boolean; readonly seconds?: number },
): Promise<void> {
  const cluster = await readCluster(flags.state);
  await runFleet({
    folder: flags.state,
    keepsDisks: true,
    control: flags.control ?? cluster.etcd.length === 0,
    port: flags.port,
    logLevel: 'info',
    everyMs: cluster.heartbeatSeconds * 1000,
    durationMs: flags.seconds === undefined ? undefined : flags.seconds * 1000,
  });
  printLine(`ended; run it again with: rig sim run --state ${flags.state}`);
}

async function power(
  act: PowerAct,
  names: readonly string[],
  { state, all }: StateFlag & { readonly all: boolean },
): Promise<void> {
  if (all === names.length > 0) {
    throw new RigError('invalid', all ? 'both --all and nodes were given' : 'no node was given', {
      next: 'Name nodes, or give --all.',
    });
  }
  await changeCluster(state, createSystemClock(), (cluster) => powered(cluster, act, all ? null : names));
  const what = all ? 'every node' : names.join(', ');
  printLine(`${act === 'cycle' ? 'off and on again' : act}: ${what}${await whenRunning(state)}`);
}

async function scale(
  count: number,
  { state, drain, profile }: StateFlag & { readonly drain: boolean; readonly profile?: string },
): Promise<void> {
  const read = profile === undefined ? undefined : await readProfile(profile);
  const changed = await changeCluster(state, createSystemClock(), (cluster) => {
    const known = read === undefined ? cluster : withProfile(cluster, read);
    return scaled(known, count, drain ? 'drained' : 'at-once');
  });
  const leaving = changed.nodes.filter((node) => node.leaving !== 'no').length;
  printLine(`${count} nodes${leaving === 0 ? '' : `, when ${leaving} have left`}${await whenRunning(state)}`);
}

async function whenRunning(state: string): Promise<string> {
  return (await runningIn(state)) === undefined ? '; it is done when the cluster runs' : '';
}

async function status(flags: StateFlag & JsonFlag & { readonly nodes: boolean }): Promise<void> {
  const { state, nodes, json } = flags;
  const [cluster, running] = await Promise.all([readCluster(state), runningIn(state)]);
  if (json === true) {
    printJson({ ...cluster, running: running ?? null });
    return;
  }
  printLine(declared(cluster));
  for (const line of running === undefined ? ['it does not run'] : await runningLines(running))
    printLine(line);
  if (!nodes) return;
  process.stdout.write(`\n${nodesTable(cluster)}`);
  if (cluster.devices.length > 0) process.stdout.write(`\n${devicesTable(cluster)}`);
}

async function runningLines({
  pid,
  url,
  etcd,
  api,
}: Awaited<ReturnType<typeof runningIn>> & object): Promise<readonly string[]> {
  if (url === null) return [`process ${pid} is starting it`];
  const network = createHttpNetwork({ clock: createSystemClock() });
  const { body } = await network.call({ method: 'GET', url: `${url}/status`, timeoutMs: 5000 });
  return [
    `process ${pid} runs it: ${statusLine(parseStatus(body))}`,
    `  etcd ${etcd.join(', ')}`,
    `  API ${api ?? 'of the cluster itself'}`,
    `  figures ${url}/status`,
  ];
}
