// No write of an engine that was deposed lands: each compares the leader key that it was elected by.
//
// Assumes that an engine's writes carry its role, its node and its term, the
// creation revision of the leader key that it held (model/volume.ts, Writer).
// Deletions carry no writer and are not judged. How many writes the fence turned
// away (`engine.fenced`) is told, so that a reader sees whether it was put to the test.

import type { Check } from '../history.ts';
import { type Reign, reigns } from './leader-history.ts';
import { answersOf, count, position } from './verdict.ts';
import { describeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('fencing');

export const fencing: Check = (run) => {
  const all = reigns(run);
  let judged = 0;
  let current = 0;
  for (const step of volumeSteps(run)) {
    const { event, after } = step;
    if (event.kind !== 'put' || step.malformed !== undefined) continue;
    if (after?.control.writer.role !== 'engine') continue;
    judged += 1;
    while (current < all.length && endedBefore(all[current], event.revision)) current += 1;
    const reign = all[current];
    const inForce = reign !== undefined && reign.created.revision < event.revision ? reign : undefined;
    const { node, term } = after.control.writer;
    if (inForce !== undefined && inForce.term === term && inForce.node === node) continue;
    return invalid(`an engine wrote volume ${step.id} without leading`, [
      inForce === undefined
        ? `at revision ${event.revision} the leader key did not exist`
        : `${position(inForce.created)}: ${inForce.node} is elected, term ${inForce.term}`,
      `${position(event)}: ${describeStep(step)}`,
    ]);
  }
  if (judged === 0) return unknown('no engine wrote a volume');
  const fenced = run.logs.filter((line) => line.event === 'engine.fenced').length;
  return valid(
    `${count(judged, 'write')} of engines, each by the leader of its term; ${fenced} refused by the fence`,
  );
};

const endedBefore = (reign: Reign | undefined, revision: number): boolean =>
  reign?.deleted !== undefined && reign.deleted.revision <= revision;
