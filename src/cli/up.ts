// `rig up`: a cluster to explore by hand.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { GOLDEN_TOPOLOGIES } from '../rig/compose/goldens.ts';
import type { Deployment } from '../rig/deployment.ts';
import { runLabel } from '../rig/docker/deploy.ts';
import { awaitReady } from '../rig/lifecycle.ts';
import { parseTopology, type Topology } from '../rig/topology.ts';
import { DEFAULT_CLUSTER, parseClusterName, runIdOf } from './cluster-name.ts';
import { openContainers, openKv } from './containers.ts';
import { catchInterrupt } from './interrupt.ts';

const READY_WITHIN_MS = 60_000;

interface UpFlags {
  readonly name: string;
  readonly topology?: string;
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .description('start a cluster and leave it up: etcd, three nodes, two consumers')
    .option('--name <name>', 'tells clusters apart', parseClusterName, DEFAULT_CLUSTER)
    .option('--topology <file>', 'a topology in YAML, instead of the default')
    .addHelpText('after', '\nExamples:\n  rig up\n  rig up --name mine --topology mine.yaml')
    .action(up);
}

async function topologyOf(flags: UpFlags): Promise<Topology> {
  if (flags.topology === undefined) return parseTopology(GOLDEN_TOPOLOGIES['cobalt-3'], 'cobalt-3');
  let input: unknown;
  try {
    input = parse(await readFile(flags.topology, 'utf8'), { prettyErrors: false });
  } catch (error) {
    throw new RigError('invalid', `cannot read the topology ${flags.topology}: ${(error as Error).message}`, {
      next: "Give a file in YAML; README's section on topologies has an example.",
      cause: error,
    });
  }
  return parseTopology(input, flags.topology);
}

async function up(flags: UpFlags): Promise<void> {
  const topology = await topologyOf(flags);
  const clock = createSystemClock();
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  await using mode = await openContainers(clock, (what) => process.stdout.write(`${what}\n`));
  const deployment = await mode.deploy({
    topology,
    runId: runIdOf(flags.name),
    folder: join('runs', runIdOf(flags.name)),
    absentAtStart: [],
    outlivesRig: true,
    signal: interrupt.signal,
  });
  try {
    await awaitReady({ deployment, clock, openKv, timeoutMs: READY_WITHIN_MS, signal: interrupt.signal });
    await tellWhere(deployment, flags.name);
  } catch (error) {
    await deployment.teardown();
    throw error;
  }
}

async function tellWhere(deployment: Deployment, name: string): Promise<void> {
  const { topology, runId } = deployment;
  const lines = [`cluster '${name}' is ready (everything is labelled ${runLabel(runId)})`];
  for (const { name: node } of topology.nodes)
    lines.push(`  ${node.padEnd(12)} ${await deployment.api(node)}`);
  lines.push(`  ${'etcd'.padEnd(12)} ${await deployment.etcd()}`, '', 'Try:');
  const [first] = topology.nodes;
  if (first) {
    const order = `'{"name":"first","meta":{},"requested":{"reserved_size":1},"exports":[]}'`;
    lines.push(`  curl -s ${await deployment.api(first.name)}/nodes`);
    lines.push(
      `  curl -s -H content-type:application/json -d ${order} ${await deployment.api(first.name)}/volumes`,
    );
    lines.push(`  docker kill cobalt-${runId}-${first.name}-1`);
  }
  lines.push(`  npm run rig -- down${name === DEFAULT_CLUSTER ? '' : ` --name ${name}`}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
