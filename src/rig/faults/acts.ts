// Faults that hit a process: a whole container, or one role of a node. Each says
// how it is done and how its effect is seen, because an act that was asked for
// is not yet one that bit.

import type { Role } from '../../model/volume.ts';
import type { Act, ContainerState } from '../deployment.ts';

/** Container-wide acts: the engine's API call, and the state that shows the effect. */
export const CONTAINER_ACTS: Readonly<
  Record<Act, { readonly shows: readonly ContainerState[]; readonly refusedIn: readonly ContainerState[] }>
> = {
  kill: { shows: ['exited'], refusedIn: ['exited', 'absent', 'created'] },
  stop: { shows: ['exited'], refusedIn: ['exited', 'absent', 'created'] },
  start: { shows: ['running'], refusedIn: ['running', 'paused', 'absent'] },
  pause: { shows: ['paused'], refusedIn: ['exited', 'absent', 'created', 'paused'] },
  resume: { shows: ['running'], refusedIn: ['running', 'exited', 'absent', 'created'] },
};

/** Signals that hit one role's process. `start` has none: the supervisor alone starts roles. */
export const ROLE_SIGNALS: Readonly<Partial<Record<Act, string>>> = {
  kill: 'KILL',
  stop: 'TERM',
  pause: 'STOP',
  resume: 'CONT',
};

/** Matches the command line of a role's process, and of no other. */
export const rolePattern = (role: Role): string => `daemon/main\\.ts --role ${role}$`;

/**
 * Whether `ps`'s process states (one letter and flags, one a line) show the
 * act: nothing left for kill and stop, all stopped (T) for pause, none stopped
 * for resume.
 */
export function roleShows(act: Act, states: readonly string[]): boolean {
  if (act === 'kill' || act === 'stop') return states.length === 0;
  if (act === 'pause') return states.length > 0 && states.every((state) => state.startsWith('T'));
  return states.length > 0 && states.every((state) => !state.startsWith('T'));
}
