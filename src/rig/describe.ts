// Steps and conditions of a scenario as sentences: for progress, and as the
// names of what was expected.

import type { Condition, Step, VolumeCall } from './scenario.ts';

/** A step as a sentence: for progress, and as the name of what was expected. */
export function describeStep(step: Step): string {
  if ('mark' in step) return `mark ${step.mark}`;
  if ('call' in step) return `${describeCall(step.call)} via ${step.via} answers ${step.status}`;
  if ('probe' in step) return `every call on ${step.via.join(', ')} answers as without etcd`;
  if ('io' in step)
    return `${step.by} ${step.outcome === 'ok' ? 'can' : 'is refused to'} ${step.io} ${step.volume}/${step.file}`;
  if ('fault' in step) return `${step.fault} ${step.role ? `the ${step.role} of ` : ''}${step.target}`;
  if ('await' in step) return describeCondition(step.await);
  if ('hold' in step) return `${step.why} (${step.hold} ms)`;
  if ('together' in step) return step.together.map(describeStep).join('; ');
  if ('inventory' in step) return `take the inventory ${step.inventory}`;
  return 'traffic' in step ? `${step.by} works on ${step.volume}` : `${step.endTraffic} ends`;
}

function describeCall(call: VolumeCall): string {
  if ('create' in call) return `create ${call.create} of ${call.sizeGib} GiB`;
  if ('resize' in call) return `resize ${call.resize} to ${call.sizeGib} GiB`;
  if ('reexport' in call) {
    const hosts = call.exports.map(({ consumer, access }) => `${consumer} ${access}`);
    return `export ${call.reexport} to ${hosts.join(', ') || 'nobody'}`;
  }
  return `delete ${call.remove}`;
}

/** A condition as a sentence. */
export function describeCondition(condition: Condition): string {
  if ('volume' in condition) {
    const { volume, state, on, notOn, exported } = condition;
    const where = on ? ` on ${on}` : notOn ? ` elsewhere than on ${notOn}` : '';
    return `volume ${volume} is ${state}${where}${exported ? ' with its exports applied' : ''}`;
  }
  if ('registered' in condition)
    return `${condition.registered === 'all' ? 'every node' : condition.registered} is registered`;
  if ('unregistered' in condition) return `${condition.unregistered} is no longer registered`;
  if ('leader' in condition) return condition.not ? 'another engine leads' : 'one engine leads';
  if ('answering' in condition)
    return `the API of ${condition.answering === 'all' ? 'every node' : condition.answering} answers`;
  if ('ready' in condition) return `${condition.ready === 'all' ? 'every node' : condition.ready} is ready`;
  if ('converged' in condition) return `the disk and exports of ${condition.converged} match etcd`;
  return `${condition.by} logs ${condition.logged}`;
}
