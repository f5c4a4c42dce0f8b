// A simulated cluster as people read it.

import { type Cluster, STATE_VERSION } from '../fleet/cluster.ts';
import type { Profile } from '../fleet/profiles.ts';
import { table } from './table.ts';

export function described({ nodes, devices, profile }: Cluster): string {
  const shared = devices.length === 0 ? '' : `, ${devices.length} shared devices`;
  return `${nodes.length} nodes of profile ${profile}${shared}`;
}

export function declared(cluster: Cluster): string {
  const off = cluster.nodes.filter(({ power }) => power === 'off').length;
  const leaving = cluster.nodes.filter((node) => node.leaving !== 'no').length;
  return `${described(cluster)}, version ${STATE_VERSION}, ${off} switched off, ${leaving} leaving`;
}

export const nodesTable = ({ nodes }: Cluster): string =>
  table({
    heads: ['NODE', 'PROFILE', 'POWER', 'CYCLES', 'LEAVES'],
    rows: nodes.map(({ name, profile, power, cycles, leaving }) => [
      name,
      profile,
      power,
      String(cycles),
      leaving === 'no' ? '' : leaving,
    ]),
  });

export const devicesTable = ({ devices }: Cluster): string =>
  table({
    heads: ['DEVICE', 'PROFILE', 'SEEN BY'],
    rows: devices.map(({ name, profile, seenBy }) => [name, profile, seenBy.join(' ')]),
  });

export const profilesTable = (profiles: Readonly<Record<string, Profile>>): string =>
  table({
    heads: ['PROFILE', 'GIB', 'LABELS', 'LATENCY', 'FAILS', 'LOGS'],
    rows: Object.entries(profiles).map(([name, profile]) => [name, ...profileCells(profile)]),
  });

function profileCells({
  capacityGib,
  labels,
  latencyMs,
  failures,
  logLinesPerSecond,
}: Profile): readonly string[] {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const shares = Object.entries(failures).flatMap(([what, share]) =>
    share === 0 ? [] : [`${what} ${100 * share} %`],
  );
  return [
    String(capacityGib),
    pairs.join(' '),
    latencyMs.most === 0 ? '' : `${latencyMs.least}-${latencyMs.most} ms`,
    shares.join(', '),
    logLinesPerSecond === 0 ? '' : `${logLinesPerSecond} lines/s`,
  ];
}
