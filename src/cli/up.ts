// `rig up`: a cluster to explore by hand.

import { readFile, rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { GOLDEN_TOPOLOGIES } from '../rig/compose/goldens.ts';
import type { Deployment } from '../rig/deployment.ts';
import { runLabel } from '../rig/docker/removal.ts';
import { awaitReady } from '../rig/lifecycle.ts';
import { etcdMembers, parseTopology, presentNodes, type Topology } from '../rig/topology.ts';
import { DEFAULT_CLUSTER, parseClusterName, runIdOf, upFolder } from './cluster-name.ts';
import { openContainers } from './containers.ts';
import { catchInterrupt } from './interrupt.ts';

const READY_WITHIN_MS = 60_000;

interface UpFlags {
  readonly name: string;
  readonly topology?: string;
}

export function registerUp(program: Command): void {
  program
    .command('up')
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
  const { system } = topology;
  const image = system.kind === 'image' ? system.image : undefined;
  const onProgress = (what: string): void => void process.stdout.write(`${what}\n`);
  await using mode = await openContainers(clock, onProgress, { system: image }).catch((error: unknown) => {
    throw interrupted(error, interrupt.signal);
  });
  const deployment = await mode
    .deploy({
      topology,
      runId: runIdOf(flags.name),
      folder: upFolder(flags.name),
      absentAtStart: [],
      outlivesRig: true,
      signal: interrupt.signal,
    })
    .catch((error: unknown) => notDeployed(interrupted(error, interrupt.signal), flags.name));
  try {
    await awaitReady({ deployment, clock, timeoutMs: READY_WITHIN_MS, signal: interrupt.signal });
    await tellWhere(deployment, flags.name);
  } catch (error) {
    await deployment.teardown();
    await rm(upFolder(flags.name), { recursive: true, force: true });
    throw interrupted(error, interrupt.signal);
  }
}

/** Whatever else went wrong when somebody stopped it. */
const interrupted = (error: unknown, { aborted }: AbortSignal): unknown =>
  aborted ? new RigError('aborted', 'interrupted; nothing is left of the cluster', { cause: error }) : error;

/** Leaves no folder behind, but that of the cluster which has the name already. */
async function notDeployed(error: unknown, name: string): Promise<never> {
  if (RigError.from(error).code === 'conflict') {
    throw new RigError('conflict', `there is a cluster '${name}' already`, {
      next: `Use it, remove it with ${removal(name)}, or choose another --name.`,
      cause: error,
    });
  }
  await rm(upFolder(name), { recursive: true, force: true });
  throw error;
}

const removal = (name: string): string =>
  `npm run rig -- down${name === DEFAULT_CLUSTER ? '' : ` --name ${name}`}`;

async function tellWhere(deployment: Deployment, name: string): Promise<void> {
  const { topology, runId } = deployment;
  const lines = [`cluster '${name}' is ready (everything is labelled ${runLabel(runId)})`];
  const where = async (member: string, url: Promise<string>): Promise<void> =>
    void lines.push(`  ${member.padEnd(12)} ${await url}`);
  const apis = presentNodes(topology)
    .filter(({ roles }) => roles.includes('api'))
    .map(({ name: node }) => node);
  for (const node of apis) await where(node, deployment.api(node));
  const urls = await deployment.etcd();
  for (const [index, member] of etcdMembers(topology).entries())
    await where(member, Promise.resolve(urls[index] ?? 'is not running'));
  for (const consumer of topology.consumers) await where(consumer, deployment.consumer(consumer));
  lines.push('', 'Try:');
  const [first] = apis;
  if (first !== undefined) {
    const url = await deployment.api(first);
    const order = `'{"name":"first","meta":{},"requested":{"reserved_size":1},"exports":[]}'`;
    lines.push(
      `  curl -s ${url}/nodes`,
      `  curl -s -H content-type:application/json -d ${order} ${url}/volumes`,
    );
  }
  // Another one than is asked, so that the asking goes on.
  const victim = presentNodes(topology).at(-1);
  if (victim !== undefined && victim.name !== first)
    lines.push(`  docker kill cobalt-${runId}-${victim.name}-1`);
  lines.push(`  ${removal(name)}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}
