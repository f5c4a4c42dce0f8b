// A run in which a volume is drained from one node to another under a consumer
// that follows the events, and then cloned: the ground for the checks of both.

import { specKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import type { TopologyInput } from '../../../../src/rig/topology.ts';
import { by, CONSUMERS, createHistory, type HistoryBuilder, OTHER_ID, VOLUME_ID } from './history.ts';

const COPY = '0123456789abcdef-1';
const HOST = { host: CONSUMERS.consumer1, access: 'rw', squash: 'none' } as const;
const LABELS = { zone: 'a' };

/** Both nodes may have it. */
export const TOPOLOGY = {
  nodes: [
    { name: 'node1', labels: LABELS },
    { name: 'node2', labels: LABELS },
  ],
  consumers: ['consumer1', 'consumer2'],
};

export const ORDER: change.VolumeOrder = {
  name: 'a',
  meta: {},
  requested: { reserved_size: 1, constraints: LABELS },
  exports: [HOST],
};

const mountAt = (server: string) => ({ server, path: `/${VOLUME_ID}`, options: 'vers=4.1' });
const access = (action: string) => [{ host: HOST.host, action, access: 'rw', squash: 'none' }];

/** Node2 becomes one that is to be emptied. */
export const drains = (history: HistoryBuilder, node = 'node2') =>
  history.put(specKey(node), { volume_path: '/srv/cobalt', capacity: 8, labels: LABELS, draining: true });

/** From grant to the end, the way it must be, in half a second; answers with the volume as it is then. */
export function moves(
  history: HistoryBuilder,
  volume: Volume,
  options: {
    readonly atMs: number;
    readonly term: number;
    readonly to: string;
    readonly cause: 'drain' | 'rebalance';
    readonly copy?: string;
  },
): Volume {
  const { atMs, term, to, cause, copy = COPY } = options;
  const from = volume.node ?? '';
  const field = { volume: volume.id };
  let moving = history
    .at(atMs)
    .write(change.moveGranted(volume, { node: to, cause }, by('engine', 'node1', term)));
  history.at(atMs + 200).log(from, 'info', 'move.cutover', field);
  moving = history.at(atMs + 250).write(change.handedOver(moving, copy, by('agent', from)));
  const phases = { kind: 'move', volume: volume.id, to, exports: volume.exports };
  history.told('consumer1', { ...phases, phase: 'handed-over', from, mount: null, clients: [] });
  history.at(atMs + 300).log(to, 'info', 'volume.exported', field);
  moving = history.at(atMs + 310).write(change.completed(moving, by('agent', to)));
  const ready = { phase: 'ready', from: null, mount: mountAt(to), clients: access('remount') };
  history.told('consumer1', { ...phases, ...ready });
  history.at(atMs + 400).log(from, 'info', 'move.verified', { ...field, to, copy });
  history.at(atMs + 450).log(from, 'info', 'move.source-trashed', field);
  return moving;
}

/** As far as the end of the move. */
export function drainedRun(topology: TopologyInput = TOPOLOGY) {
  const history = createHistory(topology);
  history.at(100).registers('node1', '11').registers('node2', '12');
  const term = history.at(200).elects('node1', '21');
  history.at(1_000).follow('open', 'consumer1');
  history.at(4_000).http(202);
  let volume = history.write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node2')));
  volume = history.at(4_020).write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
  volume = history.at(4_100).write(change.completed(volume, by('agent', 'node2')));
  const where = { volume: VOLUME_ID, exports: [HOST], mount: mountAt('node2'), clients: access('mount') };
  history.told('consumer1', { kind: 'export', ...where });
  const at = (server: string) => ({ consumer: 'consumer1', server }) as const;
  history.at(7_000).io({ kind: 'nfs-write', ...at('node2') });
  history.at(7_900).io({ kind: 'nfs-read', ...at('node2') });
  drains(history.at(8_000));
  volume = moves(history, volume, { atMs: 8_010, term, to: 'node1', cause: 'drain' });
  history.at(8_270).io({ kind: 'nfs-read', ...at('node2'), outcome: 'refused' });
  history.at(8_500).io({ kind: 'nfs-read', ...at('node1') });
  history.at(12_000).io({ kind: 'nfs-read', ...at('node2'), process: 'nosy', outcome: 'refused' });
  history.at(13_000).io({ kind: 'nfs-write', ...at('node1'), file: 'two', sha256: 'bb' });
  return { history, volume, term };
}

/** From node2 to node1, and from there to a third. */
export function movedOnRun() {
  const { history, volume, term } = drainedRun({
    ...TOPOLOGY,
    nodes: [...TOPOLOGY.nodes, { name: 'node3', labels: LABELS }],
  });
  drains(history.at(29_000), 'node1');
  moves(history, volume, { atMs: 30_000, term, to: 'node3', cause: 'drain', copy: '0123456789abcdef-2' });
  return { history, volume, term };
}

/** The whole run. */
export function movedRun() {
  const { history, volume, term } = drainedRun();
  const at = (server: string) => ({ consumer: 'consumer1', server }) as const;
  history.at(14_000).http(202, {}, { id: OTHER_ID });
  const order = { ...ORDER, name: 'copy', parentId: VOLUME_ID };
  let clone = history.write(change.newClone(OTHER_ID, order, by('api', 'node1')));
  clone = history.at(14_050).write(change.cloneGranted(clone, 'node1', by('engine', 'node1', term)));
  clone = history.at(14_200).write(change.completed(clone, by('agent', 'node1')));
  const there = { volume: OTHER_ID, exports: [HOST], mount: { ...mountAt('node1'), path: `/${OTHER_ID}` } };
  history.told('consumer1', { kind: 'export', ...there, clients: access('mount') });
  history.at(15_000).io({ kind: 'nfs-write', ...at('node1'), file: 'three', sha256: 'cc' });
  history.at(15_500).io({ kind: 'nfs-write', ...at('node1'), volume: OTHER_ID, file: 'own', sha256: 'dd' });
  history.at(20_000).expectation({ boundMs: 2_000, measuredMs: 150 });
  history.at(21_000).follow('end', 'consumer1');
  const disk = history.wanted('node1');
  const files = [
    { one: 'aa', two: 'bb', three: 'cc' },
    { one: 'aa', two: 'bb', own: 'dd' },
  ];
  const volumes = disk.volumes.map((one) => ({ ...one, files: files[one.id === VOLUME_ID ? 0 : 1] ?? {} }));
  history.at(22_000).inventory('final', 'node1', { ...disk, volumes });
  history.inventory('final', 'node2').finalState();
  return { history, volume, clone, term };
}
