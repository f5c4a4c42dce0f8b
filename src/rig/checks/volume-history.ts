// The lives of the volumes, replayed from etcd's events.

import { nameIn, VOLUMES_PREFIX } from '../../kv/keys.ts';
import { parseStored } from '../../model/parse.ts';
import { type Volume, volumeSchema } from '../../model/volume.ts';
import type { EtcdEvent, RecordedRun } from '../history.ts';

/** One event of one volume's key. An absent volume is undefined. */
export interface VolumeStep {
  readonly event: EtcdEvent;
  readonly id: string;
  readonly before: Volume | undefined;
  readonly after: Volume | undefined;
  /** Why the stored value isn't a volume; `after` is then the last good one. */
  readonly malformed?: string;
}

// Many checks replay the same run; parsing 100,000 events once is enough.
const replayed = new WeakMap<readonly EtcdEvent[], readonly VolumeStep[]>();

/** Every event under `volumes/`, in order, with the volume before and after it. */
export function volumeSteps(run: RecordedRun): readonly VolumeStep[] {
  const known = replayed.get(run.etcd);
  if (known !== undefined) return known;
  const steps = replay(run.etcd);
  replayed.set(run.etcd, steps);
  return steps;
}

function replay(events: readonly EtcdEvent[]): readonly VolumeStep[] {
  const current = new Map<string, Volume>();
  const steps: VolumeStep[] = [];
  for (const event of events) {
    if (!event.key.startsWith(VOLUMES_PREFIX)) continue;
    const id = nameIn(VOLUMES_PREFIX, event.key);
    const before = current.get(id);
    if (event.kind === 'delete') {
      current.delete(id);
      steps.push({ event, id, before, after: undefined });
      continue;
    }
    const parsed = parseVolume({ key: event.key, value: event.value ?? '' });
    if (typeof parsed === 'string') {
      steps.push({ event, id, before, after: before, malformed: parsed });
      continue;
    }
    current.set(id, parsed);
    steps.push({ event, id, before, after: parsed });
  }
  return steps;
}

/** The stored volume, or why it isn't one. */
export function parseVolume(stored: { readonly key: string; readonly value: string }): Volume | string {
  try {
    return parseStored(volumeSchema, stored);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What became of a volume in one step, for people: `v… ready -> pending by api@node-1`. */
export function describeStep(step: VolumeStep): string {
  const where = (volume: Volume | undefined): string =>
    volume === undefined ? 'absent' : `${volume.state}@${volume.node ?? '-'}`;
  const writer = step.after?.control.writer;
  const by =
    step.event.kind === 'delete' || writer === undefined
      ? ''
      : ` by ${writer.role}@${writer.node}${writer.term === null ? '' : ` of term ${writer.term}`}`;
  return `${step.id} ${where(step.before)} -> ${where(step.after)}${by}`;
}
