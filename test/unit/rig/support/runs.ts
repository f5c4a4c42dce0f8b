// Whole runs that every check accepts: the ground from which tests break one thing.

import { LEADER_KEY } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import type { EtcdEvent, HistoryEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { by, CONSUMERS, createHistory, VOLUME_ID } from './history.ts';

const rule = (host: string, access: 'rw' | 'ro') => ({ host, access, squash: 'none' as const });

export const ORDER: change.VolumeOrder = {
  name: 'a',
  meta: {},
  requested: { reserved_size: 1, constraints: { zone: 'b' } },
  exports: [rule(CONSUMERS.consumer1, 'rw')],
};

/** Two nodes, a leader, a volume that is made, exported, written, resized and re-exported. */
export function calmRun() {
  const history = createHistory();
  history.at(100).registers('node1', '11').registers('node2', '12');
  const term = history.at(200).elects('node1', '21');
  history.at(4000).http(202);
  let volume = history.write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node2')));
  history.at(4020);
  volume = history.write(change.assigned(volume, 'node2', by('engine', 'node1', term)));
  history.at(4100);
  volume = history.write(change.completed(volume, by('agent', 'node2')));
  history.at(7000).io({ kind: 'nfs-write', consumer: 'consumer1' });
  history.at(7100).io({ kind: 'nfs-read', consumer: 'consumer1' });
  history.at(7200).io({ kind: 'nfs-read', consumer: 'consumer2', outcome: 'refused' });
  history.at(8000);
  const rules = [rule(CONSUMERS.consumer1, 'rw'), rule('10.0.0.12/32', 'ro')];
  volume = history.write(change.reexported(volume, rules, by('api', 'node1')));
  history.at(8050);
  volume = history.write(change.exported(volume, by('agent', 'node2')));
  history.at(12_000).io({ kind: 'nfs-read', consumer: 'consumer2' });
  history.at(12_100).io({ kind: 'nfs-write', consumer: 'consumer2', file: 'no', outcome: 'refused' });
  history.at(13_000);
  const more = { reserved_size: 2, constraints: { zone: 'b' } };
  volume = history.write(change.requested(volume, more, by('api', 'node1')));
  volume = history.write(change.granted(volume, by('engine', 'node1', term)));
  history.at(13_100);
  volume = history.write(change.completed(volume, by('agent', 'node2')));
  history.at(14_000).expectation({ boundMs: 2_000, measuredMs: 150 });
  history.at(15_000).settles({ one: 'aa' });
  return { history, volume, term };
}

/** etcd is killed for five seconds under the calm run's volume; the leader changes. */
export function outageRun() {
  const { history, volume, term } = calmRun();
  history.at(16_000).inventory('before-outage', 'node1', history.wanted('node1'));
  history.inventory('before-outage', 'node2', history.wanted('node2', { one: 'aa' }));
  history.at(17_000).fault('kill', 'etcd');
  history.at(18_000).io({ kind: 'nfs-write', consumer: 'consumer1', file: 'two', sha256: 'bb' });
  for (const atMs of [16_900, 17_500, 18_500, 19_500, 20_500])
    history.at(atMs).io({ kind: 'nfs-read', consumer: 'consumer1', process: 'traffic' });
  history.at(19_900).log('node1', 'info', 'engine.deposed', { term });
  history.at(20_000).log('node2', 'error', 'etcd.unreachable');
  history.at(21_000).inventory('during-outage', 'node1', history.wanted('node1'));
  history.inventory('during-outage', 'node2', history.wanted('node2', { one: 'aa', two: 'bb' }));
  history.at(22_000).fault('start', 'etcd');
  history.at(24_000).remove(LEADER_KEY);
  history.at(24_100).elects('node2', '22');
  history.at(30_000).settles({ one: 'aa', two: 'bb' });
  return { history, volume };
}

/** The run with some of its etcd events changed; one that becomes undefined is left out. */
export const withEtcd = (
  run: RecordedRun,
  replace: (event: EtcdEvent, index: number) => EtcdEvent | undefined,
): RecordedRun => ({ ...run, etcd: run.etcd.flatMap((event, index) => replace(event, index) ?? []) });

/** The run with some of its history changed. */
export const withHistory = (
  run: RecordedRun,
  replace: (event: HistoryEvent) => HistoryEvent | undefined,
): RecordedRun => ({ ...run, history: run.history.flatMap((event) => replace(event) ?? []) });

/** The run in which the volume was stored with other fields at one point: the nth put of it, from 0. */
export function withVolume(run: RecordedRun, nth: number, edit: (volume: Volume) => Volume): RecordedRun {
  let seen = -1;
  return withEtcd(run, (event) => {
    if (!event.key.endsWith(VOLUME_ID) || event.kind === 'delete') return event;
    seen += 1;
    if (seen !== nth) return event;
    return { ...event, value: JSON.stringify(edit(JSON.parse(event.value ?? ''))) };
  });
}
