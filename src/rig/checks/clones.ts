// A clone has what its parent had when it was made, and from then on neither
// sees what is written to the other, not even when the parent is deleted; which it
// never is while a clone of it is still to be made.
//
// Assumes that the clone is made at some time between the call that orders it
// and the rig's sight of it being ready; that a write which overlaps that time,
// or whose outcome nobody knows and that may still come to something by then (late-writes.ts),
// may be in it or not, so that of such a file only the being there is judged, if it
// was written before; and that each file is written as a whole. What its parent had as a clone
// itself comes from further up. What is found after something was written to the clone
// itself is durability's. Clones that are not ready at the end, or not on a node that was
// looked into, are left out.

import type { Volume } from '../../model/volume.ts';
import type { Check, RecordedRun, Verdict } from '../history.ts';
import { endedMs } from './calls.ts';
import {
  type Clone,
  type Family,
  familyOf,
  type NfsCall,
  type Sight,
  seenOf,
  sightsOf,
  writesOf,
} from './clone-sights.ts';
import { contentAt } from './file-history.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { describeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('clones');

/** What may be found. `something`: a file of whatever content. Undefined when nobody knows. */
type Expected = ReadonlySet<string | undefined> | 'something' | undefined;

export const clones: Check = (run) => {
  const orphaned = firstOrphaned(run);
  if (orphaned !== undefined) return orphaned;
  const family = familyOf(run);
  if (family.clones.size === 0) return unknown('no clone became ready');
  let judged = 0;
  for (const clone of family.clones.values()) {
    const { onDisk, files } = seenOf(family, clone);
    for (const file of files) {
      const toParent = writesOf(family, clone.parent, file);
      const toClone = writesOf(family, clone.id, file);
      for (const sight of sightsOf(family, clone, file, onDisk)) {
        const look = { family, clone, sight, toParent, toClone };
        const wrong = sight.volume === clone.id ? wrongInClone(look) : leakedToParent(look);
        if (wrong === undefined || wrong === 'there') continue;
        if (wrong === 'as it must be') judged += 1;
        else return invalid(wrong.reason, [describeClone(clone), ...wrong.lines, sight.where]);
      }
    }
  }
  if (judged === 0) return unknown('no file of a clone or of its parent could be judged');
  return valid(
    `${count(family.clones.size, 'clone')}, apart from the parent in each of ${judged} looks at a file`,
  );
};

/** `there`: its content can't be judged. */
type Finding =
  | { readonly reason: string; readonly lines: readonly string[] }
  | 'as it must be'
  | 'there'
  | undefined;

interface Look {
  readonly family: Family;
  readonly clone: Clone;
  readonly sight: Sight;
  readonly toParent: readonly NfsCall[];
  readonly toClone: readonly NfsCall[];
}

function wrongInClone({ family, clone, sight, toParent, toClone }: Look): Finding {
  if (toClone.some(({ invokedMs }) => invokedMs <= sight.untilMs)) return undefined;
  const expected = inherited(family, clone, sight.file);
  if (expected === undefined) return undefined;
  if (expected === 'something' && sight.sha256 !== undefined) return 'there';
  if (expected !== 'something' && expected.has(sight.sha256)) return 'as it must be';
  const last = toParent.findLast((write) => endedMs(write) < clone.fromMs);
  const late = toParent.find((write) => write.invokedMs > clone.toMs);
  return expected !== 'something' && expected.has(undefined)
    ? { reason: `clone ${clone.id} has what its parent had not`, lines: late ? [text(late)] : [] }
    : { reason: `clone ${clone.id} has not what its parent had`, lines: last ? [text(last)] : [] };
}

function leakedToParent({ family, clone, sight, toParent, toClone }: Look): Finding {
  const [write] = toClone;
  if (write === undefined || toParent.length > 0) return undefined;
  const expected = originally(family, clone.parent, sight.file);
  if (expected === undefined) return undefined;
  if (expected === 'something') return sight.sha256 === undefined ? undefined : 'there';
  if (expected.has(sight.sha256)) return 'as it must be';
  return { reason: `parent ${sight.volume} has what was written to its clone`, lines: [text(write)] };
}

/** What the clone had of its parent in the beginning. */
function inherited(family: Family, { parent, fromMs, toMs }: Clone, file: string): Expected {
  const writes = writesOf(family, parent, file).filter(({ invokedMs }) => invokedMs <= toMs);
  if (writes.length === 0) return originally(family, parent, file);
  const { acknowledged, possible } = contentAt({ writes }, family.isOver, { fromMs, toMs });
  return acknowledged === undefined ? undefined : (possible ?? 'something');
}

/** What the volume had before anything was written to it: nothing, but for a clone. */
function originally(family: Family, volume: string, file: string): Expected {
  const clone = family.clones.get(volume);
  if (clone !== undefined) return inherited(family, clone, file);
  return family.born.has(volume) ? undefined : new Set([undefined]);
}

/** The first volume that went while a clone of it was still to be made: from what should that be made now? */
function firstOrphaned(run: RecordedRun): Verdict | undefined {
  if (!run.etcdComplete) return undefined;
  const unmade = new Map<string, Volume>();
  for (const step of volumeSteps(run)) {
    const { id, before, after, event } = step;
    const isKept = after !== undefined && after.state !== 'deleting';
    if (isKept && after.actual === null && after.control.parent_id !== null) unmade.set(id, after);
    else unmade.delete(id);
    if (isKept || before?.state === 'deleting') continue;
    const left = [...unmade.values()].find(({ control }) => control.parent_id === id);
    if (left === undefined) continue;
    return invalid(`volume ${id} was deleted though its clone ${left.id} was still to be made`, [
      `${position(event)}: ${describeStep(step)}`,
      `by then ${left.id} is ${left.state}, and on no disk`,
    ]);
  }
  return undefined;
}

const text = (write: NfsCall): string =>
  `${seconds(write.invokedMs)}: ${write.operation.consumer} writes ${write.completion?.sha256} to ` +
  `${write.operation.volume}/${write.operation.file} (call ${write.call})`;

const describeClone = ({ id, parent, fromMs, toMs }: Clone): string =>
  `${seconds(fromMs)}: clone ${id} of ${parent} is ordered, and ready at ${seconds(toMs)}`;
