// `rig up`: a cluster to explore by hand.

import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import { openContainers } from '../cluster/containers.ts';
import { readStarted } from '../cluster/settings.ts';
import { writeClusterFile } from '../rig/by-hand/cluster-file.ts';
import { BY_HAND_FILE } from '../rig/by-hand/record.ts';
import { GOLDEN_TOPOLOGIES } from '../rig/compose/goldens.ts';
import type { Deployment } from '../rig/deployment.ts';
import { runLabel } from '../rig/docker/removal.ts';
import { awaitReady } from '../rig/lifecycle.ts';
import { COMPOSE_FILE } from '../rig/record-files.ts';
import { etcdMembers, parseTopology, presentNodes, type Topology } from '../rig/topology.ts';
import { DEFAULT_CLUSTER, parseClusterName, runIdOf, upFolder } from './cluster-name.ts';
import { fitted } from './fitted.ts';
import { lockFolder } from './folder-lock.ts';
import { catchInterrupt } from './interrupt.ts';
import { lockName } from './name-lock.ts';
import { nextSteps, rigCommand } from './next-steps.ts';
import { help, printJson } from './output.ts';

const READY_WITHIN_MS = 60_000;

interface UpFlags {
  readonly name: string;
  readonly topology?: string;
  readonly json?: boolean;
}

export function registerUp(program: Command): void {
  program
    .command('up')
    .option('--name <name>', 'tells clusters apart', parseClusterName, DEFAULT_CLUSTER)
    .option('--topology <file>', 'a topology in YAML, instead of the default')
    .option('--json', 'print where everything answers as JSON')
    .addHelpText(
      'after',
      help(
        ['rig up', 'rig up --name mine --topology mine.yaml'],
        '{"cluster", "runId", "folder", "urls": {member: url}}',
      ),
    )
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
  const progress = flags.json === true ? process.stderr : process.stdout;
  const onProgress = (what: string): void => void progress.write(`${what}\n`);
  await using mode = await openContainers(clock, onProgress, { system: image }).catch((error: unknown) => {
    throw interrupted(error, interrupt.signal);
  });
  const folder = upFolder(flags.name);
  // Of two at once the later would take what the first is making for its own, which failed.
  using _name = await lockName({ name: runIdOf(flags.name), clock, signal: interrupt.signal });
  makeUpFolder(folder);
  using _lock = await lockFolder({ folder, clock, signal: interrupt.signal });
  const deployment = await mode
    .deploy({
      topology,
      runId: runIdOf(flags.name),
      folder,
      absentAtStart: [],
      outlivesRig: true,
      signal: interrupt.signal,
    })
    .catch((error: unknown) => notDeployed(interrupted(error, interrupt.signal), flags.name));
  try {
    await awaitReady({ deployment, clock, timeoutMs: READY_WITHIN_MS, signal: interrupt.signal });
    await beginRecord(deployment, folder);
    deployment.keep();
    const urls = await urlsOf(deployment);
    const { runId } = deployment;
    if (flags.json === true) printJson({ cluster: flags.name, runId, folder, urls });
    else tellWhere(deployment, urls, flags.name);
  } catch (error) {
    await deployment.teardown();
    await rm(folder, { recursive: true, force: true });
    throw interrupted(error, interrupt.signal);
  }
}

function makeUpFolder(folder: string): void {
  try {
    makeFolder(folder);
  } catch (error) {
    throw new RigError('machine', `cannot make ${folder}: ${(error as Error).message}`, {
      next: 'Start it where runs/ can be made.',
      cause: error,
    });
  }
}

/** Whatever else went wrong when somebody stopped it. */
const interrupted = (error: unknown, { aborted }: AbortSignal): unknown =>
  aborted ? new RigError('aborted', 'interrupted; nothing is left of the cluster', { cause: error }) : error;

/** Leaves no folder behind, but that of the cluster which has the name already. */
async function notDeployed(error: unknown, name: string): Promise<never> {
  const isTaken = RigError.from(error).code === 'conflict';
  // It may have been started from elsewhere, and have its folder there.
  if (!isTaken || !existsSync(join(upFolder(name), COMPOSE_FILE)))
    await rm(upFolder(name), { recursive: true, force: true });
  if (isTaken) {
    throw new RigError('conflict', `there is a cluster '${name}' already`, {
      next: `Use it, remove it with ${commandOf('down', name)}, or choose another --name.`,
      cause: error,
    });
  }
  throw error;
}

/** For whoever handles the cluster later; what was done by hand to one that had the name before, is none of its. */
async function beginRecord({ runId, topology }: Deployment, folder: string): Promise<void> {
  await rm(join(folder, BY_HAND_FILE), { force: true });
  writeClusterFile(folder, { runId, topology });
}

/** Where each member answers that can be asked from here. */
async function urlsOf(deployment: Deployment): Promise<Readonly<Record<string, string>>> {
  const { topology } = deployment;
  const urls: Record<string, string> = {};
  for (const { name, roles } of presentNodes(topology))
    if (roles.includes('api')) urls[name] = await deployment.api(name);
  for (const member of etcdMembers(topology))
    [urls[member] = 'is not running'] = await deployment.etcd(member);
  for (const consumer of topology.consumers) urls[consumer] = await deployment.consumer(consumer);
  return urls;
}

const nameFlag = (name: string): string => (name === DEFAULT_CLUSTER ? '' : ` --name ${name}`);

const commandOf = (what: string, name: string): string =>
  `${rigCommand(readStarted(), process.cwd())} ${what}${nameFlag(name)}`;

function tellWhere(
  { topology, runId }: Deployment,
  urls: Readonly<Record<string, string>>,
  name: string,
): void {
  const width = Math.max(...Object.keys(urls).map(({ length }) => length));
  const apis = presentNodes(topology).filter(({ roles }) => roles.includes('api'));
  const [first] = apis;
  const tries = [
    ['ps', 'who leads'],
    ...(first === undefined ? [] : [['volume create first', 'ready within a moment']]),
    ['kill leader', 'ps tells who leads after it'],
    ['heal', 'what was killed is back'],
    ['down', 'nothing is left'],
  ].map(([what = '', comment = '']) => [commandOf(what, name), comment] as const);
  const lines = [
    fitted(`cluster '${name}' is ready (everything is labelled ${runLabel(runId)})`, '  '),
    ...Object.entries(urls).map(([member, url]) => `  ${member.padEnd(width)}  ${url}`),
    '',
    'Try:',
    ...nextSteps(tries),
    ...(first === undefined ? [] : [`  curl -s ${urls[first.name]}/openapi.json`]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
