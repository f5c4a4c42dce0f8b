// What a scenario can wait for of whole nodes: that one is empty, that they
// share the load, how far a drain has come.

import { bytesToGib, gibToBytes } from '../base/units.ts';
import { NODES_PREFIX, nameIn } from '../kv/keys.ts';
import type { Node } from '../model/node.ts';
import { isStuck, reservationsOf } from '../model/volume.ts';
import type { Observation } from './observation.ts';
import type { Condition } from './scenario.ts';
import type { View } from './scene.ts';
import { refuseStale, volumesOf } from './stage.ts';

/** By etcd, which also knows what is on its way there, and by the node's own disk and NFS server. */
export async function observeEmpty(view: View, node: string): Promise<Observation> {
  const reserved = volumesOf(view.recorder)
    .filter((volume) => reservationsOf(volume).some((reservation) => reservation.node === node))
    .map(({ id, state }) => `etcd has ${id} there, ${state}`);
  const inventory = await view.deployment.inventory(node);
  const found = [
    ...reserved,
    ...inventory.volumes.map(({ id }) => `it has the subvolume ${id}`),
    ...inventory.exports.map(({ id }) => `it exports ${id}`),
    ...(inventory.copies ?? []).map((copy) => `it has the copy ${copy}`),
  ];
  return { holds: found.length === 0, seen: found.join('; ') || 'nothing is there' };
}

/**
 * Compares what a settled node must show: ready volumes, their quotas, and nothing else. With `mayBeStuck` also
 * volumes that can't go on, whose reason is on record; default false.
 */
export async function observeConverged(
  view: Pick<View, 'deployment' | 'recorder'>,
  node: string,
  { mayBeStuck = false }: { readonly mayBeStuck?: boolean } = {},
): Promise<Observation> {
  refuseStale(view.recorder);
  const inventory = await view.deployment.inventory(node);
  const volumes = volumesOf(view.recorder);
  const moving = new Set(volumes.filter(({ state }) => state === 'moving').map(({ id }) => id));
  const wanted = volumes.filter((volume) => volume.node === node);
  const differences = wanted.flatMap((volume) => {
    if (mayBeStuck && isStuck(volume)) return [];
    if (volume.state !== 'ready') return [`${volume.id} is ${volume.state}`];
    const found = inventory.volumes.find(({ id }) => id === volume.id);
    if (found === undefined) return [`${volume.id} has no subvolume`];
    const quota = gibToBytes(volume.requested.reserved_size);
    return found.quotaBytes === quota ? [] : [`${volume.id} has quota ${found.quotaBytes}, not ${quota}`];
  });
  const ids = new Set(wanted.map((volume) => volume.id));
  for (const { id } of inventory.volumes) if (!ids.has(id)) differences.push(`${id} is an orphan`);
  for (const { id } of inventory.exports)
    if (!ids.has(id)) differences.push(`${id} is exported but isn't here`);
  for (const copy of inventory.copies ?? [])
    if (!moving.has(copy.split('.')[0] ?? copy)) differences.push(`copy ${copy} is left of a move`);
  return { holds: differences.length === 0, seen: differences.join('; ') || 'they match' };
}

export function observeBalance(view: View, withinPercent: number): Observation {
  const volumes = volumesOf(view.recorder);
  const busy = volumes.filter(({ state }) => state !== 'ready').map(({ id, state }) => `${id} is ${state}`);
  const shares = liveNodes(view).map(({ name, capacity }) => {
    const bytes = volumes
      .flatMap((volume) => reservationsOf(volume))
      .filter((reservation) => reservation.node === name)
      .reduce((sum, reservation) => sum + reservation.bytes, 0);
    return { name, percent: (100 * bytesToGib(bytes)) / capacity };
  });
  const all = shares.map(({ percent }) => percent);
  const holds = busy.length === 0 && all.length > 0 && Math.max(...all) - Math.min(...all) <= withinPercent;
  const seen = shares.map(({ name, percent }) => `${name} ${percent.toFixed(0)} %`);
  return { holds, seen: [...seen, ...busy].join(', ') };
}

const liveNodes = ({ recorder }: View): readonly Node[] =>
  [...recorder.keys()]
    .filter(([key]) => key.startsWith(NODES_PREFIX))
    .map(([key, { value }]) => ({ ...(JSON.parse(value) as Node), name: nameIn(NODES_PREFIX, key) }));

/** Through the API, as whoever waits for it would look. */
export async function observeDraining(
  { deployment }: View,
  condition: Extract<Condition, { draining: string }>,
): Promise<Observation> {
  const asked = deployment.topology.nodes.find(({ name }) => name !== condition.draining)?.name;
  const url = `${await deployment.api(asked ?? condition.draining)}/nodes/${condition.draining}`;
  const response = await deployment.fetch(url, { timeoutMs: 2_000 });
  const body = (await response.json()) as {
    readonly draining?: unknown;
    readonly volumes?: { count?: unknown };
    readonly remains?: unknown;
  };
  const { left: wanted, remains = body.remains } = condition;
  const left = body.volumes?.count;
  return {
    holds:
      response.status === 200 &&
      body.draining === true &&
      typeof left === 'number' &&
      left >= wanted.least &&
      left <= wanted.most &&
      body.remains === remains,
    seen: `${response.status}, draining ${body.draining}, volumes ${JSON.stringify(left)}, remains ${JSON.stringify(body.remains)}`,
  };
}
