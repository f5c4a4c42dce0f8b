// What a mode is to whoever starts a cluster in it.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Kv } from '../kv/kv.ts';
import type { RunMode } from '../rig/history.ts';
import type { Mode } from '../rig/lifecycle.ts';
import type { Machine } from '../rig/machine.ts';

/** Does work in the mode's own time. */
export type Conduct = <T>(work: () => Promise<T>) => Promise<T>;

export interface OpenedMode extends Mode {
  readonly clock: Clock;
  readonly runId: string;
  /** etcd at its members' URLs. */
  readonly openKv: (endpoints: readonly string[]) => Kv;
  /** Default: time passes by itself. */
  readonly conduct: Conduct;
  /** Whose load is recorded. Default: this machine's. */
  readonly machine?: Machine;
  /** For run.json. Default: containers. */
  readonly recordedAs?: RunMode;
}

export interface OpenModeOptions {
  readonly seed: number;
  /** The image that stands in for these sources, if any. */
  readonly system: string | undefined;
  /**
   * `calls`: time passes while anything of the cluster is awaited. `whole`: whoever opens the mode hands all that is to be
   * done to `conduct`, at once. Differ in simulated time only.
   */
  readonly conducts: 'calls' | 'whole';
  readonly onProgress: (what: string) => void;
}

export interface ClusterMode {
  /** What this machine lacks for it, as a sentence's end; undefined when it can be had. */
  missing(): Promise<string | undefined>;
  open(options: OpenModeOptions): Promise<OpenedMode>;
}

/** Why it can't be had, by the error that trying throws; undefined when it throws none. */
export async function lackOf(attempt: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    return RigError.from(error).message;
  }
}
