// No write of an engine that was deposed lands: each compares the leader key that it was elected by.
//
// Assumes that an engine's writes carry its role, its node and its term, the
// creation revision of the leader key that it held (model/volume.ts, Writer); and that an
// engine which has deleted a volume, for which etcd keeps no writer, logs so with its term
// (`volume.deleted`). What an engine deleted that ended before it could log it is not judged. How many writes
// the fence turned away (`engine.fenced`) is told, so that a reader sees whether it was put to the test.

import type { Check, EtcdEvent, RecordedRun, Verdict } from '../history.ts';
import { hasGap } from './gaps.ts';
import { type Reign, reigns } from './leader-history.ts';
import { lastOfFirst } from './sorted.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { describeStep, type VolumeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('fencing');

/** What an engine did to a volume, by its own word. */
interface Claim {
  readonly did: 'wrote' | 'deleted';
  readonly node: string;
  readonly term: number | null;
  readonly step: VolumeStep;
  /** For people: where it says so, if not in the step. */
  readonly lines: readonly string[];
}

export const fencing: Check = (run) => {
  if (hasGap(run)) return unknown('revisions of etcd are missing, and with them who was elected');
  const all = reigns(run);
  const claims = claimsOf(run);
  const unled = claims.find((claim) => !isLed(inForceAt(all, claim.step.event), claim));
  if (unled !== undefined) return wrong(all, unled);
  const writes = claims.filter(({ did }) => did === 'wrote').length;
  if (writes === 0) return unknown('no engine wrote a volume');
  const fenced = run.logs.filter((line) => line.event === 'engine.fenced').length;
  return valid(
    `${count(writes, 'write')} and ${count(claims.length - writes, 'deletion')} of engines, each by the leader of its term; ` +
      `${fenced} refused by the fence`,
  );
};

/** Whose term it was when the event was committed. */
function inForceAt(all: readonly Reign[], { revision }: EtcdEvent): Reign | undefined {
  const reign = lastOfFirst(all, ({ created }) => created.revision < revision);
  return reign?.deleted !== undefined && reign.deleted.revision <= revision ? undefined : reign;
}

const isLed = (reign: Reign | undefined, { node, term }: Claim): boolean =>
  reign !== undefined && reign.term === term && reign.node === node;

function wrong(all: readonly Reign[], { did, step, lines }: Claim): Verdict {
  const { event, id } = step;
  const reign = inForceAt(all, event);
  return invalid(`an engine ${did} volume ${id} without leading`, [
    reign === undefined
      ? `at revision ${event.revision} the leader key did not exist`
      : `${position(reign.created)}: ${reign.node} is elected, term ${reign.term}`,
    `${position(event)}: ${describeStep(step)}`,
    ...lines,
  ]);
}

function claimsOf(run: RecordedRun): readonly Claim[] {
  const gone = new Map<unknown, VolumeStep>();
  const written: Claim[] = [];
  for (const step of volumeSteps(run)) {
    if (step.event.kind === 'delete') gone.set(step.id, step);
    const writer = step.malformed === undefined ? step.after?.control.writer : undefined;
    if (step.event.kind === 'put' && writer?.role === 'engine')
      written.push({ did: 'wrote', node: writer.node, term: writer.term, step, lines: [] });
  }
  const deleted = run.logs.flatMap(({ event, fields, container, atMs }): readonly Claim[] => {
    // Agents log the same, with no term. No id is used twice.
    const step = event === 'volume.deleted' ? gone.get(fields.volume) : undefined;
    if (step === undefined || typeof fields.term !== 'number') return [];
    const { term } = fields;
    const line = `${seconds(atMs)}: the engine of ${container} logs ${event}, term ${term}`;
    return [{ did: 'deleted', node: container, term, step, lines: [line] }];
  });
  return [...written, ...deleted];
}
