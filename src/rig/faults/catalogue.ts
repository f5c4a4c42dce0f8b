// Every kind of fault, by name.

import { RigError } from '../../base/errors.ts';
import { bandwidth } from './bandwidth.ts';
import { clockDrift } from './clock-drift.ts';
import { clockJump } from './clock-jump.ts';
import { clockOffset } from './clock-offset.ts';
import { cut } from './cut.ts';
import { diskErrors } from './disk-errors.ts';
import { diskFull } from './disk-full.ts';
import { diskReadOnly } from './disk-read-only.ts';
import { diskSlow } from './disk-slow.ts';
import { engineDemotion } from './engine-demotion.ts';
import { etcdCompaction } from './etcd-compaction.ts';
import { etcdDataLoss } from './etcd-data-loss.ts';
import { failpoint } from './failpoint.ts';
import type { Catalogue, Fault } from './fault.ts';
import { halfOpen } from './half-open.ts';
import { kill } from './kill.ts';
import { latency } from './latency.ts';
import { leaseRevoked } from './lease-revoked.ts';
import { loss } from './loss.ts';
import { nodeAdded } from './node-added.ts';
import { nodeRemoved } from './node-removed.ts';
import { outOfMemory } from './out-of-memory.ts';
import { partition } from './partition.ts';
import { pause } from './pause.ts';
import { quotaFull } from './quota-full.ts';
import { reset } from './reset.ts';
import { restart } from './restart.ts';
import { rollingRestart } from './rolling-restart.ts';
import { rollingUpgrade } from './rolling-upgrade.ts';
import type { FaultSpec } from './spec.ts';
import { stop } from './stop.ts';

export const FAULTS: Catalogue = {
  kill,
  stop,
  pause,
  restart,
  'out-of-memory': outOfMemory,
  partition,
  cut,
  loss,
  latency,
  bandwidth,
  reset,
  'half-open': halfOpen,
  'clock-drift': clockDrift,
  'clock-jump': clockJump,
  'clock-offset': clockOffset,
  'disk-errors': diskErrors,
  'disk-full': diskFull,
  'disk-read-only': diskReadOnly,
  'disk-slow': diskSlow,
  'quota-full': quotaFull,
  'etcd-compaction': etcdCompaction,
  'etcd-data-loss': etcdDataLoss,
  'lease-revoked': leaseRevoked,
  'node-added': nodeAdded,
  'node-removed': nodeRemoved,
  'rolling-restart': rollingRestart,
  'rolling-upgrade': rollingUpgrade,
  'engine-demotion': engineDemotion,
  failpoint,
};

/** Who knows how it is done. */
export function faultOf(spec: FaultSpec): Fault {
  const fault = FAULTS[spec.fault] as unknown as Fault | undefined;
  if (fault !== undefined) return fault;
  throw new RigError('unsupported', `there is no fault '${spec.fault}'`);
}

/** As a sentence. */
export const describeFault = (spec: FaultSpec): string => faultOf(spec).describe(spec);
