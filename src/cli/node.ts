// `rig node`: the cluster's nodes, by way of its API.

import type { Command } from 'commander';
import { callApi } from './api.ts';
import { type ClusterFlags, chooseCluster, withClusterOptions } from './clusters.ts';
import { changedLabels } from './labels.ts';
import { nodeTable, tellNode } from './node-text.ts';
import { changeNode, listNodes, nodeNamed, untilEmpty } from './nodes-api.ts';
import { help, printJson, printLine } from './output.ts';

interface Flags extends ClusterFlags {
  readonly json?: boolean;
}

const withOptions = (command: Command): Command =>
  withClusterOptions(command).option('--json', 'print it as the API shows it');

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
      printLine(`${name} is forgotten; if it starts again, it joins anew`);
    });
}
