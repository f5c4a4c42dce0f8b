// `rig node`: the cluster's nodes, by way of its API.

import type { Command } from 'commander';
import { z } from 'zod';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { callApi } from './api.ts';
import { type ChosenCluster, type ClusterFlags, chooseCluster, withClusterOptions } from './clusters.ts';
import { fitted } from './fitted.ts';
import { changedLabels } from './labels.ts';
import { help, printJson } from './output.ts';
import { table } from './table.ts';

/** Of what the API shows; the rest is passed on as it is. */
const nodeSchema = z.looseObject({
  name: z.string(),
  alive: z.boolean(),
  draining: z.boolean(),
  labels: z.record(z.string(), z.string()),
  capacity: z.number(),
  available: z.number().nullable(),
  remains: z.number().nullable(),
  roles: z.array(z.string()),
  disk: z.object({ state: z.string(), reason: z.string().nullable() }).nullable(),
  volumes: z.object({ count: z.number(), reserved: z.number() }),
});
type NodeView = z.infer<typeof nodeSchema>;

interface Flags extends ClusterFlags {
  readonly json?: boolean;
}

const withOptions = (command: Command): Command =>
  withClusterOptions(command).option('--json', 'print it as the API shows it');

/** A drain moves volume after volume. */
const EMPTY_WITHIN_MS = 600_000;

export function registerNode(program: Command): void {
  const node = program
    .command('node')
    .addHelpText(
      'after',
      help(
        ['rig node list', 'rig node drain node1 --wait', 'rig node label node2 disk=ssd'],
        'as the API has it at /openapi.json',
      ),
    );
  registerReads(node);
  registerDrains(node);
  registerRest(node);
}

function registerReads(node: Command): void {
  withOptions(node.command('list'))
    .description('list the nodes, those that are away included')
    .addHelpText('after', help(['rig node list', 'rig node list --json']))
    .action(async (flags: Flags) => {
      const nodes = await listNodes(await chooseCluster(flags));
      if (flags.json === true) return printJson(nodes);
      process.stdout.write(nodes.length === 0 ? 'no nodes\n' : nodeTable(nodes));
    });
  withOptions(node.command('get'))
    .description('tell all about a node')
    .argument('<node>', 'its name')
    .addHelpText('after', help(['rig node get node1']))
    .action(async (name: string, flags: Flags) =>
      tellNode((await nodeNamed(await chooseCluster(flags), name)).node, flags),
    );
}

function registerDrains(node: Command): void {
  withOptions(node.command('drain'))
    .description('have a node give all its volumes away, and get no new ones')
    .argument('<node>', 'its name')
    .option('--wait', 'until none is left')
    .addHelpText('after', help(['rig node drain node1', 'rig node drain node1 --wait']))
    .action(async (name: string, flags: Flags & { readonly wait?: boolean }) => {
      const cluster = await chooseCluster(flags);
      await changeNode(cluster, name, () => ({ draining: true }));
      tellNode(
        flags.wait === true ? await untilEmpty(cluster, name) : (await nodeNamed(cluster, name)).node,
        flags,
      );
    });
  withOptions(node.command('undrain'))
    .description('use a node again')
    .argument('<node>', 'its name')
    .addHelpText('after', help(['rig node undrain node1']))
    .action(async (name: string, flags: Flags) => {
      const cluster = await chooseCluster(flags);
      await changeNode(cluster, name, () => ({ draining: false }));
      tellNode((await nodeNamed(cluster, name)).node, flags);
    });
}

function registerRest(node: Command): void {
  withOptions(node.command('label'))
    .description("change a node's labels")
    .argument('<node>', 'its name')
    .argument('<label...>', 'disk=ssd to set one, disk- to take it away')
    .addHelpText('after', help(['rig node label node1 disk=ssd rack-']))
    .action(async (name: string, labels: readonly string[], flags: Flags) => {
      const cluster = await chooseCluster(flags);
      await changeNode(cluster, name, (before) => ({ labels: changedLabels(before.labels, labels) }));
      tellNode((await nodeNamed(cluster, name)).node, flags);
    });
  withOptions(node.command('remove'))
    .description('forget a node whose daemon is stopped')
    .argument('<node>', 'its name')
    .addHelpText('after', help(['rig node drain node3 --wait && rig stop node3 && rig node remove node3']))
    .action(async (name: string, flags: Flags) => {
      const cluster = await chooseCluster(flags);
      await callApi(cluster, { method: 'DELETE', path: `/nodes/${encodeURIComponent(name)}` });
      if (flags.json === true) return printJson({ removed: name });
      process.stdout.write(`${name} is forgotten; if it starts again, it joins anew\n`);
    });
}

async function listNodes(cluster: ChosenCluster): Promise<readonly NodeView[]> {
  const page = z.object({ nodes: z.array(nodeSchema), next: z.string().nullable() });
  const all: NodeView[] = [];
  let after: string | null = null;
  do {
    const query: string = after === null ? '' : `&after=${encodeURIComponent(after)}`;
    const { nodes, next } = page.parse((await callApi(cluster, { path: `/nodes?alive=any${query}` })).body);
    all.push(...nodes);
    after = next;
  } while (after !== null);
  return all;
}

/** With its entity tag. Throws `not_found`, with what there is. */
async function nodeNamed(
  cluster: ChosenCluster,
  name: string,
): Promise<{ readonly node: NodeView; readonly etag: string | null }> {
  const known = await listNodes(cluster);
  if (!known.some((node) => node.name === name)) {
    throw new RigError('not_found', `there is no node '${name}'`, {
      next: `Choose one of ${known.map((node) => node.name).join(', ')}.`,
    });
  }
  const { body, etag } = await callApi(cluster, { path: `/nodes/${name}` });
  return { node: nodeSchema.parse(body), etag };
}

/** On condition that nobody else changes it meanwhile. */
async function changeNode(
  cluster: ChosenCluster,
  name: string,
  wanted: (before: NodeView) => unknown,
): Promise<void> {
  const { node, etag } = await nodeNamed(cluster, name);
  await callApi(cluster, {
    method: 'PUT',
    path: `/nodes/${name}`,
    body: wanted(node),
    ...(etag !== null && { ifMatch: etag }),
  });
}

async function untilEmpty(cluster: ChosenCluster, name: string): Promise<NodeView> {
  let seen: NodeView | undefined;
  return waitFor({
    clock: createSystemClock(),
    what: `${name} to be empty`,
    timeoutMs: EMPTY_WITHIN_MS,
    intervalMs: 250,
    probe: async () => {
      seen = (await nodeNamed(cluster, name)).node;
      return seen.volumes.count === 0 && seen.remains === 0 ? seen : undefined;
    },
    describe: () => `${seen?.volumes.count} volumes are its own, ${seen?.remains} remain on its disk`,
  });
}

const gib = (value: number | null): string => (value === null ? '-' : String(Math.round(value * 100) / 100));

const stateOf = ({ alive, draining }: NodeView): string =>
  `${alive ? 'alive' : 'away'}${draining ? ', draining' : ''}`;

const labelsOf = ({ labels }: NodeView): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ') || '-';

const nodeTable = (nodes: readonly NodeView[]): string =>
  table({
    heads: ['NAME', 'STATE', 'VOLUMES', 'RESERVED', 'CAPACITY', 'FREE', 'DISK', 'LABELS'],
    rows: nodes.map((node) => [
      node.name,
      stateOf(node),
      String(node.volumes.count),
      gib(node.volumes.reserved),
      gib(node.capacity),
      gib(node.available),
      node.disk?.state ?? '-',
      labelsOf(node),
    ]),
  });

function tellNode(node: NodeView, { json }: Flags): void {
  if (json === true) {
    printJson(node);
    return;
  }
  const { name, volumes, remains, roles, disk } = node;
  const lines = [
    `state: ${stateOf(node)}`,
    `roles: ${roles.join(' ') || 'unknown'}`,
    `volumes: ${volumes.count}, ${gib(volumes.reserved)} of ${gib(node.capacity)} GiB reserved`,
    `disk: ${disk?.state ?? 'unknown'}${disk?.reason ? `: ${disk.reason}` : ''}, ${gib(node.available)} GiB free, ${remains ?? 'unknown'} remain of others`,
    `labels: ${labelsOf(node)}`,
  ];
  process.stdout.write(`${[name, ...lines.map((line) => fitted(`  ${line}`, '    '))].join('\n')}\n`);
}
