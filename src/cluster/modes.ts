// The modes in which tests can start a cluster: a line each in the table. What a mode
// needs is loaded when it is opened.

import { RigError } from '../base/errors.ts';
import type { ClusterMode } from './mode.ts';

/** A mode whose module is loaded at its first use. */
const lazily = (load: () => Promise<ClusterMode>): ClusterMode => ({
  missing: async () => (await load()).missing(),
  open: async (options) => (await load()).open(options),
});

export const CLUSTER_MODES = {
  simulated: lazily(async () => (await import('./simulated.ts')).simulated),
  process: lazily(async () => (await import('./processes.ts')).processes),
  containers: lazily(async () => (await import('./containers.ts')).containers),
} as const satisfies Readonly<Record<string, ClusterMode>>;

export type ModeName = keyof typeof CLUSTER_MODES;

/** Throws `invalid` for a mode that there is not. */
export function modeNamed(name: string): ClusterMode {
  const modes: Readonly<Record<string, ClusterMode>> = CLUSTER_MODES;
  if (Object.hasOwn(modes, name)) return modes[name] as ClusterMode;
  throw new RigError('invalid', `there is no mode '${name}'`, {
    next: `Give one of ${Object.keys(modes).join(', ')}.`,
  });
}
