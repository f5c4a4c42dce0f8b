// A cluster in containers as the console has it: members by the engine, keys by etcd, logs, and what is owed.

import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { readClusterFile } from '../../rig/by-hand/cluster-file.ts';
import { BY_HAND_FILE, openHandRecord } from '../../rig/by-hand/record.ts';
import { API_PORT, ETCD_PORT } from '../../rig/compose/node-environment.ts';
import { faultForms } from '../../rig/console/fault-form.ts';
import type { ClusterItem } from '../../rig/console/items.ts';
import { membersOf } from '../../rig/console/members.ts';
import { owedItems } from '../../rig/console/owed.ts';
import type { SeenMember } from '../../rig/console/view.ts';
import { CONSUMER_PORT } from '../../rig/consumer/protocol.ts';
import { type WatchedCluster, type WatchedMember, watchMembers } from '../../rig/docker/watch-members.ts';
import type { Hit } from '../../rig/faults/fault.ts';
import type { Topology } from '../../rig/topology.ts';
import { type ClusterFlags, chooseCluster } from '../clusters.ts';
import { createEtcdPart } from './etcd-part.ts';
import { createTaker, handsOn } from './hands.ts';
import { createHub } from './hub.ts';
import { followLogsFor } from './logs.ts';
import type { ConsoleSource } from './source.ts';

/** Throws `not_found` when there is no such cluster, and `invalid` when nobody knows what it was started from. */
export async function openCluster(
  flags: ClusterFlags,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConsoleSource> {
  const { docker, runId, folder, label } = await chooseCluster(flags);
  const { topology: first, isOver } = await readClusterFile(folder);
  let topology = first;
  const hub = createHub(clock);
  const etcd = createEtcdPart({ hub, clock, signal });
  const owed = createOwedReader(folder, clock);
  const limits = isOver
    ? null
    : 'The run of this cluster has not come to its end: its own rig is at work in it.';
  const cluster: ClusterItem = {
    is: 'cluster',
    kind: 'cluster',
    title: label,
    folder: nearby(folder),
    limits,
    gone: null,
  };
  let members: readonly SeenMember[] = [];
  let gone: ClusterItem['gone'] = null;
  const onLook = async (found: WatchedCluster | undefined | RigError): Promise<void> => {
    const wasGone = gone !== null;
    gone = goneness(found, { label, atMs: gone?.atMs ?? clock.nowMs() });
    // Under its name there may be another one by now.
    if (wasGone && gone === null) topology = await topologyIn(folder, topology);
    hub.set('cluster', { cluster: { ...cluster, gone } });
    if (found instanceof RigError) return;
    const all = found?.members ?? [];
    members = membersOf(topology, all.map(contained), members);
    etcd.reachedAt(
      all.filter(({ state }) => state === 'running').flatMap((member) => urlsOf(member, [ETCD_PORT])),
    );
    etcd.membersAre(members);
    hub.set('owed', found === undefined ? {} : owedItems(await owed(), members));
  };
  const watch = watchMembers({ docker, clock, runId, signal, onLook });
  const hands = handsOn(flags, { clock, signal });
  const taker = createTaker({ hub, clock, carryOut: hands, onDone: watch.look });
  const logs = followLogsFor({ hub, docker, clock, runId, signal }).catch((error: unknown) => {
    const line = {
      atMs: clock.nowMs(),
      member: 'console',
      role: '',
      level: 'error',
      text: String(error),
    } as const;
    hub.tell({ type: 'logs', lines: [line] });
  });
  return {
    ...{ kind: 'cluster', title: label, hub, history: etcd.history, forms: await faultForms() },
    ...(isOver && { give: taker.give }),
    done: Promise.all([etcd.done, watch.done, logs]).then(taker.idle),
  };
}

const topologyIn = (folder: string, otherwise: Topology): Promise<Topology> =>
  readClusterFile(folder).then(
    (file) => file.topology,
    () => otherwise,
  );

const contained = (member: WatchedMember) => ({
  ...{ name: member.name, state: member.state, roles: member.roles, address: member.address ?? null },
  url: urlsOf(member, [API_PORT, ETCD_PORT, CONSUMER_PORT])[0] ?? null,
});

const urlsOf = ({ ports }: WatchedMember, wanted: readonly number[]): readonly string[] =>
  wanted.flatMap((port) => (ports.has(port) ? [`http://127.0.0.1:${ports.get(port)}`] : []));

function goneness(
  found: WatchedCluster | undefined | RigError,
  { label, atMs }: { readonly label: string; readonly atMs: number },
): ClusterItem['gone'] {
  if (found instanceof RigError)
    return {
      ...{ why: found.message, next: 'This page goes on as soon as the engine answers.' },
      ...{ atMs, isUnreachable: true },
    };
  if (found !== undefined) return null;
  const next = 'Start it again with rig up, and this page follows it; Ctrl-C ends the console.';
  return { why: `no container of '${label}' is left`, next, atMs };
}

/** As people would type it from here; what lies elsewhere, in full. */
function nearby(folder: string): string {
  const path = relative(process.cwd(), folder);
  return path.startsWith('..') ? folder : path;
}

/** What is owed by the record; read again only when that was written to. */
function createOwedReader(folder: string, clock: Clock): () => Promise<readonly Hit[]> {
  const path = join(folder, BY_HAND_FILE);
  let read: { readonly state: string; readonly owed: readonly Hit[] } | undefined;
  return async () => {
    const state = await stat(path).then(
      ({ size, mtimeMs, ino }) => `${ino} ${size} ${mtimeMs}`,
      () => 'none',
    );
    if (read?.state !== state) {
      // A line may be half written; the next look reads it whole.
      const record = await openHandRecord(folder, clock).catch(() => undefined);
      if (record !== undefined) read = { state, owed: record.owed };
    }
    return read?.owed ?? [];
  };
}
