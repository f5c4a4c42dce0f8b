// `rig bench`: measurements, side by side, because the machine is shared and noisy.

import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import type { BenchFleetOptions } from './bench-fleet.ts';
import type { StepOptions } from './bench-fleet-measuring.ts';
import { parseCount } from './fleet-options.ts';
import { wholeNumber } from './numbers.ts';
import { help } from './output.ts';

export function registerBench(program: Command): void {
  const bench = program
    .command('bench')
    .addHelpText('after', help(['rig bench up', 'rig bench cluster --rounds 10']));
  bench
    .command('up')
    .description('rig up until a volume can be created, against docker compose up -d --wait of the same file')
    .option('--rounds <number>', 'how often each is timed', parseRounds, 5)
    .action(async (options: { readonly rounds: number }) => (await import('./bench-up.ts')).benchUp(options));
  bench
    .command('cluster')
    .description('creations, changes of exports and moves on real BTRFS and NFS, on three nodes')
    .option('--rounds <number>', 'how often each is timed', parseRounds, 30)
    .action(async (options: { readonly rounds: number }) =>
      (await import('./bench-cluster.ts')).benchCluster(options),
    );
  bench
    .command('checks')
    .description('every check over a run of 100,000 events of etcd and 20,000 calls, and how its time grows')
    .action(async () => (await import('./bench-checks.ts')).benchChecks());
  bench
    .command('sim')
    .description(
      'simulated chaos against real time, seeds a minute on all cores, and the cost of a node-second',
    )
    .option('--rounds <number>', 'how many seeds are simulated', parseRounds, 40)
    .action(async (options: { readonly rounds: number }) =>
      (await import('./bench-sim.ts')).benchSim(options),
    );
  bench
    .command('fleet')
    .description('agents of one process in front of one etcd: what so many cost, and where it breaks')
    .option(
      '--agents <numbers>',
      'how many, separated by commas',
      parseAgents,
      [500, 2000, 5000, 10_000, 20_000],
    )
    .option(
      '--heartbeat <seconds>',
      'between two renewals of a lease',
      wholeNumber('number of seconds', 1, 200),
      10,
    )
    .option('--seconds <number>', 'how long each is measured', wholeNumber('number of seconds', 1, 3600), 60)
    .option('--no-deaths', 'leave out the death of a tenth of 2,000 nodes')
    .action(async (options: BenchFleetOptions) => (await import('./bench-fleet.ts')).benchFleet(options));
  bench
    .command('fleet-step', { hidden: true })
    .requiredOption('--options <json>', 'of the step')
    .action(async ({ options }: { readonly options: string }) =>
      (await import('./bench-fleet-step.ts')).benchFleetStep(JSON.parse(options) as StepOptions),
    );
  bench
    .command('report')
    .description('report.html of such a run: its size, and how long it takes to write and to open')
    .option('--rounds <number>', 'how often each is timed', parseRounds, 10)
    .action(async (options: { readonly rounds: number }) =>
      (await import('./bench-report.ts')).benchReport(options),
    );
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds;
  throw new RigError('invalid', `'${text}' is no number of rounds`, {
    next: 'Give a whole number from 1 to 100.',
  });
}

function parseAgents(text: string): readonly number[] {
  return text.split(',').map(parseCount);
}
