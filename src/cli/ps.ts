// `rig ps`: the clusters that are here, and how each of their members is.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { readSettings } from '../cluster/settings.ts';
import { openHandRecord } from '../rig/by-hand/record.ts';
import { LIST_PROCESSES, rolesIn } from '../rig/by-hand/roles.ts';
import { API_PORT, ETCD_PORT } from '../rig/compose/node-environment.ts';
import { CONSUMER_PORT } from '../rig/consumer/protocol.ts';
import { type FoundMember, listClusters } from '../rig/docker/clusters.ts';
import { createContainers } from '../rig/docker/containers.ts';
import { projectOf } from '../rig/docker/deploy.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { describeFault } from '../rig/faults/catalogue.ts';
import { sentenceOf } from '../rig/faults/sentence.ts';
import {
  type ChosenCluster,
  type ClusterFlags,
  labelOf,
  noCluster,
  readLeader,
  runIdIn,
  withClusterOptions,
} from './clusters.ts';
import { coloured } from './colour.ts';
import { fitted } from './fitted.ts';
import { help, printJson } from './output.ts';
import { type Looked, notesOf } from './ps-notes.ts';
import { table } from './table.ts';

const KINDS = { node: API_PORT, etcd: ETCD_PORT, consumer: CONSUMER_PORT } as const;

interface Shown extends Looked {
  readonly cluster: string;
  readonly runId: string;
  readonly folder: string;
  /** That are not healed. */
  readonly faults: readonly {
    readonly id: string;
    readonly fault: string;
    readonly members: readonly string[];
  }[];
}

const SHAPE =
  '[{"cluster", "runId", "folder", "members": [{"member", "state", "roles": {role: "running" or "frozen"}, "leads", "url"}], "leader": node or null, "etcd": null or what is wrong, "faults": [{"id", "fault", "members"}]}]';

export function registerPs(program: Command): void {
  withClusterOptions(program.command('ps'))
    .option('--json', 'print them as JSON')
    .addHelpText('after', help(['rig ps', 'rig ps --name mine', 'rig ps --json'], SHAPE))
    .action(async (flags: ClusterFlags & { readonly json?: boolean }) => {
      const shown = await look(flags);
      if (flags.json === true) return printJson(shown);
      if (shown.length === 0) process.stdout.write('no cluster is here; rig up starts one\n');
      process.stdout.write(shown.map(text).join('\n'));
    });
}

/** The one that is named, or all. */
async function look(flags: ClusterFlags): Promise<readonly Shown[]> {
  const wanted = flags.name === undefined && flags.run === undefined ? undefined : await runIdIn(flags);
  const docker = await connectEngine(readSettings().engine);
  const all = await listClusters(docker);
  const found = all.filter(({ runId }) => wanted === undefined || runId === wanted);
  if (wanted !== undefined && found.length === 0) throw noCluster(wanted, all);
  return Promise.all(found.map((each) => lookAt({ ...each, docker, label: labelOf(each.runId) })));
}

async function lookAt(cluster: ChosenCluster): Promise<Shown> {
  const containers = createContainers(cluster.docker, createSystemClock(), projectOf(cluster.runId));
  const asked = readLeader(cluster).then(
    ({ node }) => ({ leader: node, etcd: null }),
    (error: unknown) => ({ leader: undefined, etcd: RigError.from(error).message }),
  );
  const rolesOf = async (member: FoundMember): Promise<Readonly<Record<string, string>>> => {
    if (member.state !== 'running' || !member.ports.has(API_PORT)) return {};
    // It may end at this very moment.
    const listed = await containers.exec(member.name, LIST_PROCESSES).catch(() => undefined);
    return listed === undefined ? {} : Object.fromEntries(rolesIn(listed));
  };
  const roles = await Promise.all(cluster.members.map(rolesOf));
  const { leader, etcd } = await asked;
  return {
    cluster: cluster.label,
    runId: cluster.runId,
    folder: cluster.folder,
    leader: leader ?? null,
    members: cluster.members.map((member, index) => ({
      member: member.name,
      state: member.state === 'paused' ? 'frozen' : member.state,
      roles: roles[index] ?? {},
      leads: member.name === leader,
      url: urlIn(member),
    })),
    etcd,
    faults: await faultsOf(cluster.folder),
  };
}

function urlIn({ ports }: FoundMember): string | null {
  const port = Object.values(KINDS).find((each) => ports.has(each));
  return port === undefined ? null : `http://127.0.0.1:${ports.get(port)}`;
}

/** None where its folder is gone, or is on another machine. */
async function faultsOf(folder: string): Promise<Shown['faults']> {
  const { owed } = await openHandRecord(folder, createSystemClock());
  return owed.map(({ id, spec, members }) => ({ id, fault: describeFault(spec), members }));
}

function text({ cluster, folder, members, leader, etcd, faults }: Shown): string {
  const rows = members.map(({ member, state, roles, leads, url }) => [
    member,
    state,
    Object.entries(roles)
      .map(
        ([role, does]) =>
          `${role}${does === 'running' ? '' : ` (${does})`}${role === 'engine' && leads ? ' (leads)' : ''}`,
      )
      .join(', '),
    url ?? '',
  ]);
  const notes = [
    ...notesOf({ members, leader, etcd }).map((note) => coloured('bad', note)),
    ...faults.map((each) => coloured('doubtful', fitted(`fault ${each.id}: ${sentenceOf(each)}`, '  '))),
  ];
  return [
    `${fitted(`cluster '${cluster}' in ${folder}`, '  ')}\n`,
    table({ heads: ['MEMBER', 'STATE', 'ROLES', 'URL'], rows }),
    ...notes.map((note) => `${note}\n`),
  ].join('');
}
