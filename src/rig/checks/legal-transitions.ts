// Every step of every volume's life follows the graph of model/volume.ts, which the daemon has, too; and what the
// graph leaves open, which is read here from the contract alone (unfounded-steps.ts).
//
// Assumes that etcd's events are complete and in order (complete-history), so
// that the volume before an event is the one that the previous event left.

import { illegality } from '../../model/volume.ts';
import type { Check } from '../history.ts';
import { hasGap } from './gaps.ts';
import { unfounded } from './unfounded-steps.ts';
import { answersOf, count, position } from './verdict.ts';
import { describeStep, volumeSteps } from './volume-history.ts';

const { valid, invalid, unknown } = answersOf('legal-transitions');

export const legalTransitions: Check = (run) => {
  if (hasGap(run)) return unknown('revisions of etcd are missing, and with them steps of volumes');
  const steps = volumeSteps(run);
  if (steps.length === 0) return unknown('etcd never held a volume');
  for (const step of steps) {
    const reason =
      step.malformed ?? idMismatch(step) ?? illegality(step.before, step.after) ?? unfounded(step);
    if (reason === undefined) continue;
    const previous = steps.findLast(
      (earlier) => earlier.id === step.id && earlier.event.revision < step.event.revision,
    );
    return invalid(`volume ${step.id}: ${reason}`, [
      ...(previous === undefined ? [] : [`${position(previous.event)}: ${describeStep(previous)}`]),
      `${position(step.event)}: ${describeStep(step)}`,
      ...(step.malformed === undefined ? [] : [`value: ${step.event.value ?? '(none)'}`]),
    ]);
  }
  return valid(`${count(steps.length, 'step')} of volumes' lives, each legal`);
};

function idMismatch(step: ReturnType<typeof volumeSteps>[number]): string | undefined {
  if (step.after === undefined || step.after.id === step.id) return undefined;
  return `the key ${step.event.key} holds a volume with the id ${step.after.id}`;
}
