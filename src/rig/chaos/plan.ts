// A chaos run as data: everything that a seed decides, before anything is started.

import type { FaultSpec } from '../faults/spec.ts';
import type { TopologyInput } from '../topology.ts';
import type { Workload } from '../workload/spec.ts';

/** Times in milliseconds since the work began. */
export interface PlannedFault {
  readonly as: string;
  readonly fault: FaultSpec;
  readonly atMs: number;
  readonly healMs: number;
}

export interface Plan {
  readonly seed: number;
  readonly durationMs: number;
  readonly topology: TopologyInput;
  readonly workload: Workload;
  /** In the order in which they begin; all are healed by the end. */
  readonly faults: readonly PlannedFault[];
}

export const DEFAULT_DURATION_MS = 60_000;
