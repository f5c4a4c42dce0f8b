// Steps and conditions of a scenario as sentences: for progress, and as the
// names of what was expected.

import { describeFault } from './faults/catalogue.ts';
import type { ApiCall, Condition, Reason, Step } from './scenario.ts';
import { describeWorkload } from './workload/spec.ts';

/** A step as a sentence: for progress, and as the name of what was expected. */
export function describeStep(step: Step): string {
  if ('mark' in step) return `mark ${step.mark}`;
  if ('call' in step) {
    const why = step.because === undefined ? '' : `, telling ${describeReason(step.because)}`;
    return `${describeCall(step.call)} via ${step.via} answers ${step.status}${why}`;
  }
  if ('probe' in step) return `every call on ${step.via.join(', ')} answers as without etcd`;
  if ('io' in step) {
    const at = step.at === undefined ? '' : ` at ${step.at}`;
    const as = step.uid === undefined ? '' : ` as user ${step.uid}`;
    return `${step.by} ${OUTCOMES[step.outcome]} ${step.io} ${step.volume}/${step.file}${as}${at}`;
  }
  if ('follow' in step) return `${step.follow} follows the events at ${step.via}`;
  if ('join' in step) return `${step.join} joins`;
  if ('fault' in step) return `${step.fault} ${step.role ? `the ${step.role} of ` : ''}${step.target}`;
  if ('inject' in step) return describeFault(step.inject);
  if ('heal' in step) return `heal ${step.heal}`;
  if ('await' in step) return describeCondition(step.await);
  if ('hold' in step) return `${step.why} (${step.hold} ms${step.since ? ` after ${step.since}` : ''})`;
  if ('together' in step) return describeTogether(step.together);
  if ('inOrder' in step) return describeInOrder(step.inOrder);
  if ('workload' in step) return `${step.as}: ${describeWorkload(step.workload)}`;
  if ('inventory' in step) return `take the inventory ${step.inventory}`;
  if ('mount' in step) return `${step.by} mounts ${step.mount} by a kernel`;
  if ('openFile' in step) return `an application of ${step.by} keeps ${step.volume}/${step.openFile} open`;
  return 'traffic' in step ? `${step.by} works on ${step.volume}` : `${step.endTraffic} ends`;
}

/** Of many that are alike the first says enough. */
const MOST_TOGETHER = 4;

function describeTogether(steps: readonly Step[]): string {
  const shown = steps.length > MOST_TOGETHER ? steps.slice(0, 1) : steps;
  const more = steps.length - shown.length;
  return [...shown.map(describeStep), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

/** Of waiting between them nobody needs to be told. */
const describeInOrder = (steps: readonly Step[]): string =>
  steps
    .filter((step) => !('hold' in step))
    .map(describeStep)
    .join(', then ');

const OUTCOMES = {
  ok: 'can',
  refused: 'is refused to',
  full: 'finds no room to',
  unknown: 'fails to',
} as const;

function describeReason(reason: Reason): string {
  if ('clones' in reason) return `that ${reason.clones.join(', ')} is pending`;
  return `that ${reason.usedBytes.least} to ${reason.usedBytes.most} bytes are in use`;
}

function describeCall(call: ApiCall): string {
  if ('create' in call) return `create ${call.create} of ${call.sizeGib} GiB`;
  if ('clone' in call) return `clone ${call.clone} of ${call.of}, of ${call.sizeGib} GiB`;
  if ('move' in call)
    return `move ${call.move} ${call.to === undefined ? 'somewhere else' : `to ${call.to}`}`;
  if ('defragment' in call) return `defragment ${call.defragment}`;
  if ('compress' in call) return `compress ${call.compress} with ${call.algorithm}`;
  if ('drain' in call) return `drain ${call.drain}`;
  if ('undrain' in call) return `end the drain of ${call.undrain}`;
  if ('resize' in call) return `resize ${call.resize} to ${call.sizeGib} GiB`;
  if ('reexport' in call) {
    const hosts = call.exports.map(
      ({ consumer, access, squash }) =>
        `${consumer} ${access}${squash === undefined ? '' : ` squash ${squash}`}`,
    );
    return `export ${call.reexport} to ${hosts.join(', ') || 'nobody'}`;
  }
  return `delete ${call.remove}`;
}

/** A condition as a sentence. */
export function describeCondition(condition: Condition): string {
  if ('told' in condition) {
    const where = condition.on === undefined ? '' : ` at ${condition.on}`;
    return `${condition.told} is told to ${condition.to} ${condition.volume}${where}`;
  }
  if ('mounted' in condition)
    return condition.on === null
      ? `${condition.mounted} has unmounted ${condition.of}`
      : `${condition.mounted} has mounted ${condition.of} from ${condition.on}`;
  if ('volume' in condition) {
    const { volume, state, on, notOn, exported, sizeGib } = condition;
    const where = on ? ` on ${on}` : notOn ? ` elsewhere than on ${notOn}` : '';
    const size = sizeGib === undefined ? '' : ` with ${sizeGib} GiB`;
    return `volume ${volume} is ${state}${where}${size}${exported ? ' with its exports applied' : ''}`;
  }
  if ('empty' in condition) return `nothing is on ${condition.empty}`;
  if ('balancedWithinPercent' in condition)
    return `all volumes are ready, and no node is fuller than another by more than ${condition.balancedWithinPercent} %`;
  if ('draining' in condition) {
    const { least, most } = condition.left;
    const remains = condition.remains === undefined ? '' : ` and remains of ${condition.remains}`;
    return `${condition.draining} drains, with ${least} to ${most} volumes left${remains}`;
  }
  if ('registered' in condition)
    return `${condition.registered === 'all' ? 'every node' : condition.registered} is registered`;
  if ('unregistered' in condition) return `${condition.unregistered} is no longer registered`;
  if ('leader' in condition) return condition.not ? 'another engine leads' : 'one engine leads';
  if ('answering' in condition)
    return `the API of ${condition.answering === 'all' ? 'every node' : condition.answering} answers`;
  if ('etcdAnswers' in condition)
    return `${condition.etcdAnswers === 'all' ? 'every member of etcd' : condition.etcdAnswers} answers`;
  if ('ready' in condition) return `${condition.ready === 'all' ? 'every node' : condition.ready} is ready`;
  if ('converged' in condition) return `the disk and exports of ${condition.converged} match etcd`;
  return `${condition.by} logs ${condition.logged}`;
}
