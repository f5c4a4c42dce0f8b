// Every scenario: those of Cobalt's test plan in its order, those of its use cases, and
// the whole catalogue of faults, a family each.

import { RigError } from '../../base/errors.ts';
import { planOf } from '../chaos/draw.ts';
import { CHAOS, chaosScenario } from '../chaos/scenario.ts';
import type { Scenario } from '../scenario.ts';
import { agentDownVolumePresent } from './agent-down-volume-present.ts';
import { agentDownVolumeScheduled } from './agent-down-volume-scheduled.ts';
import { cloneAndDelete } from './clone-and-delete.ts';
import { concurrentUpdates } from './concurrent-updates.ts';
import { engineLeaderDown } from './engine-leader-down.ts';
import { etcdDownAtRuntime } from './etcd-down-at-runtime.ts';
import { etcdDownAtStart } from './etcd-down-at-start.ts';
import { etcdFrozen } from './etcd-frozen.ts';
import { etcdMembersDown } from './etcd-members-down.ts';
import { exportCreated } from './export-created.ts';
import { exportModified } from './export-modified.ts';
import { exportSquashed } from './export-squashed.ts';
import { faultsClock } from './faults-clock.ts';
import { faultsCluster } from './faults-cluster.ts';
import { faultsCode } from './faults-code.ts';
import { faultsDisk } from './faults-disk.ts';
import { faultsEtcd } from './faults-etcd.ts';
import { faultsNetwork } from './faults-network.ts';
import { faultsProcess } from './faults-process.ts';
import { nodeAddedRebalance } from './node-added-rebalance.ts';
import { nodeDrained } from './node-drained.ts';
import { resizeOverQuota } from './resize-over-quota.ts';
import { volumeMoved } from './volume-moved.ts';

/** Each fault of the catalogue comes and goes in one of them. */
export const FAULT_FAMILIES: readonly Scenario[] = [
  faultsProcess,
  faultsNetwork,
  faultsClock,
  faultsDisk,
  faultsEtcd,
  faultsCluster,
  faultsCode,
];

export const SCENARIOS: readonly Scenario[] = [
  etcdDownAtStart,
  etcdDownAtRuntime,
  etcdFrozen,
  etcdMembersDown,
  agentDownVolumePresent,
  agentDownVolumeScheduled,
  engineLeaderDown,
  exportCreated,
  exportModified,
  exportSquashed,
  volumeMoved,
  nodeDrained,
  nodeAddedRebalance,
  cloneAndDelete,
  resizeOverQuota,
  concurrentUpdates,
  ...FAULT_FAMILIES,
];

/** What a scenario is drawn from that isn't the same each time. */
export interface DrawnFrom {
  readonly seed: number;
  /** Default: chaos/plan.ts. */
  readonly durationMs?: number | undefined;
}

/** `all`, or the named ones; throws `invalid` with what there is. What is drawn is not among all. */
export function scenariosNamed(
  names: readonly string[],
  { seed, durationMs }: DrawnFrom,
): readonly Scenario[] {
  const named = names.flatMap((name): readonly string[] =>
    name === 'all' ? SCENARIOS.map((scenario) => scenario.name) : [name],
  );
  return named.map((name) => {
    if (name === CHAOS.name) return chaosScenario(planOf(seed, durationMs));
    const found = SCENARIOS.find((scenario) => scenario.name === name);
    if (found !== undefined) return found;
    throw new RigError('invalid', `there is no scenario '${name}'`, {
      next: `Choose from: ${[...SCENARIOS, CHAOS].map((scenario) => scenario.name).join(', ')}, or all.`,
    });
  });
}
