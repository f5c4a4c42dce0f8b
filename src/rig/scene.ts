// Where a script's steps are done, and what they leave for later ones.

import type { Nemesis } from './faults/nemesis.ts';
import type { Follower } from './follower.ts';
import type { KernelMounts } from './kernel-mounts.ts';
import type { Names, Stage } from './stage.ts';
import type { Traffic } from './traffic.ts';

export interface Scene {
  readonly stage: Stage;
  readonly names: Names;
  readonly nemesis: Nemesis;
  readonly traffic: Map<string, Traffic>;
  /** Consumers that follow the events, by name. */
  readonly followers: Map<string, Follower>;
  readonly kernel: KernelMounts;
}

/** What a condition is looked at with. */
export type View = Pick<Stage, 'deployment' | 'recorder'> &
  Pick<Scene, 'names' | 'followers'> &
  Partial<Pick<Scene, 'kernel'>>;
