// Which cluster a command is about: one of `rig up`, by name, or one that a run has kept.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { openKv } from '../cluster/open-kv.ts';
import { readSettings } from '../cluster/settings.ts';
import { LEADER_KEY } from '../kv/keys.ts';
import type { Kv } from '../kv/kv.ts';
import { leaderSchema } from '../model/node.ts';
import { parseStored } from '../model/parse.ts';
import { readClusterFile } from '../rig/by-hand/cluster-file.ts';
import { ETCD_PORT } from '../rig/compose/node-environment.ts';
import { type FoundCluster, type FoundMember, listClusters } from '../rig/docker/clusters.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { DEFAULT_CLUSTER, nameOf, parseClusterName, runIdOf } from './cluster-name.ts';

export interface ClusterFlags {
  readonly name?: string;
  readonly run?: string;
}

export interface ChosenCluster extends FoundCluster {
  /** As people call it. */
  readonly label: string;
  readonly docker: Awaited<ReturnType<typeof connectEngine>>;
}

/** The options by which every command that is about a cluster is told which. */
export const withClusterOptions = (command: Command): Command =>
  command
    .option('--name <name>', 'which cluster of rig up (default: "default")', parseClusterName)
    .option('--run <run>', 'instead: the cluster that a run has kept, by its id or its folder');

/** `mine`, or `run 1a2b3c4d`. */
export const labelOf = (runId: string): string => nameOf(runId) ?? `run ${runId}`;

/** Throws `not_found`, with what there is, when that one is not here; `invalid` where both are named. */
export async function chooseCluster(flags: ClusterFlags): Promise<ChosenCluster> {
  const runId = await runIdIn(flags);
  const docker = await connectEngine(readSettings().engine);
  const all = await listClusters(docker);
  const found = all.find((cluster) => cluster.runId === runId);
  if (found === undefined) throw noCluster(runId, all);
  return { ...found, docker, label: labelOf(runId) };
}

/** The id by which a cluster is labelled. */
export async function runIdIn({ name, run }: ClusterFlags): Promise<string> {
  if (run === undefined) return runIdOf(name ?? DEFAULT_CLUSTER);
  if (name !== undefined) {
    throw new RigError('invalid', '--name and --run each name a cluster', { next: 'Give one of them.' });
  }
  if (run.includes('/') || existsSync(join(run, 'run.json'))) return (await readClusterFile(run)).runId;
  return parseClusterName(run);
}

export function noCluster(runId: string, all: readonly FoundCluster[]): RigError {
  const name = nameOf(runId);
  const names = all.map((one) => labelOf(one.runId)).join(', ');
  const what = name === undefined ? `no cluster of run '${runId}'` : `no cluster '${name}'`;
  const [there, next] =
    all.length === 0
      ? ['', 'Start one with rig up.']
      : [`; clusters: ${names}`, 'Choose one by --name or --run.'];
  return new RigError('not_found', `there is ${what}${there}`, { next });
}

/** Throws `not_found`, with all there are. */
export function memberOf({ members, label }: ChosenCluster, name: string): FoundMember {
  const found = members.find((member) => member.name === name);
  if (found !== undefined) return found;
  throw new RigError('not_found', `cluster '${label}' has no member '${name}'`, {
    next: `Choose one of ${members.map((member) => member.name).join(', ')}.`,
  });
}

/** Throws `unavailable` for a member that doesn't run. */
export function urlOf({ name, ports, state }: FoundMember, port: number): string {
  const published = ports.get(port);
  if (published !== undefined) return `http://127.0.0.1:${published}`;
  throw new RigError('unavailable', `${name} can't be reached: it is ${state}`, {
    next: `Start it with rig start ${name}.`,
  });
}

/** Its etcd, by the members that can be reached. Throws `unavailable` where there is none. */
export function openEtcd({ members, label }: ChosenCluster): Kv {
  const urls = members.filter(({ ports }) => ports.has(ETCD_PORT)).map((member) => urlOf(member, ETCD_PORT));
  if (urls.length > 0) return openKv(urls);
  throw new RigError('unavailable', `no member of etcd runs in cluster '${label}'`, {
    next: 'Start them with rig start etcd.',
  });
}

/** The node whose engine leads, if any does, and etcd's revision by now. Throws `unavailable` and `timeout`. */
export async function readLeader(
  cluster: ChosenCluster,
): Promise<{ readonly node: string | undefined; readonly revision: number }> {
  const kv = openEtcd(cluster);
  try {
    const { kv: found, revision } = await kv.get(LEADER_KEY);
    return { node: found && parseStored(leaderSchema, found).node, revision };
  } finally {
    await kv.close();
  }
}
