// What a daemon tells a consumer that has missed what etcd no longer has, and the record of a compaction.

import { pictureOf } from '../../../../src/daemon/events/changes.ts';
import type { KeyValue } from '../../../../src/kv/kv.ts';
import { snapshotOf } from '../../../../src/model/picture.ts';
import type { NemesisEvent, RecordedRun, ToldEvent } from '../../../../src/rig/history.ts';

/** A `reset` and all that there is as of the revision. */
export function beganAnew(
  { etcd }: RecordedRun,
  at: { readonly atMs: number; readonly revision: number; readonly consumer?: string },
): readonly ToldEvent[] {
  const { atMs, revision, consumer = 'consumer1' } = at;
  const kvs = new Map<string, KeyValue>();
  for (const { key, value, revision: modRevision } of etcd) {
    if (modRevision > revision) break;
    if (value === undefined) kvs.delete(key);
    else kvs.set(key, { key, value, modRevision, createRevision: modRevision, version: 1, lease: '0' });
  }
  const picture = pictureOf([...kvs.values()], () => undefined);
  const all = [{ kind: 'reset', revision, reason: 'compacted' }, ...snapshotOf(picture, revision)];
  return all.map((data, index) => ({
    type: 'told',
    atMs,
    consumer,
    node: 'node1',
    event: data.kind,
    data,
    ...(index === all.length - 1 && { id: String(revision) }),
  }));
}

/** A fault of etcd as a whole, from when to when. */
export function etcdFault(
  fault: 'etcd-compaction' | 'etcd-data-loss',
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): readonly NemesisEvent[] {
  const spec =
    fault === 'etcd-compaction' ? ({ fault, everyMs: 500 } as const) : ({ fault, on: 'etcd' } as const);
  const event = { type: 'nemesis', id: `${fault} ${fromMs}`, fault: spec, members: ['etcd'] } as const;
  return [
    { ...event, atMs: fromMs, phase: 'inject' },
    { ...event, atMs: fromMs, phase: 'shown' },
    { ...event, atMs: toMs, phase: 'heal' },
    { ...event, atMs: toMs, phase: 'healed' },
  ];
}
