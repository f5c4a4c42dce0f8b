// Every scenario, in the order of Cobalt's test plan.

import { RigError } from '../../base/errors.ts';
import type { Scenario } from '../scenario.ts';
import { agentDownVolumePresent } from './agent-down-volume-present.ts';
import { agentDownVolumeScheduled } from './agent-down-volume-scheduled.ts';
import { engineLeaderDown } from './engine-leader-down.ts';
import { etcdDownAtRuntime } from './etcd-down-at-runtime.ts';
import { etcdDownAtStart } from './etcd-down-at-start.ts';
import { exportCreated } from './export-created.ts';
import { exportModified } from './export-modified.ts';

export const SCENARIOS: readonly Scenario[] = [
  etcdDownAtStart,
  etcdDownAtRuntime,
  agentDownVolumePresent,
  agentDownVolumeScheduled,
  engineLeaderDown,
  exportCreated,
  exportModified,
];

/** `all`, or the named ones; throws `invalid` with what there is. */
export function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  if (names.includes('all')) return SCENARIOS;
  return names.map((name) => {
    const found = SCENARIOS.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    throw new RigError('invalid', `there is no scenario '${name}'`, {
      next: `Choose from: ${SCENARIOS.map((scenario) => scenario.name).join(', ')}, or all.`,
    });
  });
}
