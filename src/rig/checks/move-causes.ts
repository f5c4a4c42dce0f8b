// What the balance or a drain may have been decided on: a node that comes, goes,
// gets another specification or whose disk is no longer as it was; a volume that
// is ordered, deleted or given another size; and another engine, which knows
// nothing of what its predecessor had tried.

import { LEADER_KEY, NODES_PREFIX, nameIn, SPECS_PREFIX } from '../../kv/keys.ts';
import type { EtcdEvent, RecordedRun } from '../history.ts';
import { nodeAt } from './node-history.ts';
import { type VolumeStep, volumeSteps } from './volume-history.ts';

/** The revisions of all causes, in order. */
export function causesOf(run: RecordedRun): readonly number[] {
  const last = new Map<string, EtcdEvent>();
  const ofVolumes = new Map(volumeSteps(run).map((step) => [step.event, step]));
  return run.etcd.flatMap((event) => {
    const before = last.get(event.key);
    last.set(event.key, event);
    const step = ofVolumes.get(event);
    const isCause = step === undefined ? concernsNodes(run, event, before) : isResized(step);
    return isCause ? [event.revision] : [];
  });
}

function concernsNodes(run: RecordedRun, event: EtcdEvent, before: EtcdEvent | undefined): boolean {
  const { key, kind, revision } = event;
  if (key === LEADER_KEY) return kind === 'put' && before?.createRevision !== event.createRevision;
  if (key.startsWith(SPECS_PREFIX)) return before?.value !== event.value;
  if (!key.startsWith(NODES_PREFIX)) return false;
  if (kind === 'delete' || before?.createRevision !== event.createRevision) return true;
  const disk = (at: number): string | undefined => nodeAt(run, nameIn(NODES_PREFIX, key), at)?.disk.state;
  return disk(revision) !== disk(revision - 1);
}

const isResized = ({ before, after }: VolumeStep): boolean =>
  before?.requested.reserved_size !== after?.requested.reserved_size;
