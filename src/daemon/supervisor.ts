// Keeps a node's roles running, each as settings say, and ends them together.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { backoffMs } from '../base/retry.ts';
import type { Role } from '../model/volume.ts';
import type { RoleExit, RoleProcess } from './role-process.ts';
import type { RestartPolicy } from './settings.ts';

/** EX_CONFIG of sysexits(3): started again it would refuse again, unless it has worked before. */
export const EXIT_REFUSED = 78;
export const EXIT_FAILED = 1;

const RESTART_BASE_MS = 100;
const RESTART_CAP_MS = 5000;
/** A role that ran so long was well; its next end counts as the first. */
const STEADY_MS = 10_000;
/** More than a role allows itself, less than a container is given (10 s). */
const STOP_TIMEOUT_MS = 6000;

export interface SupervisorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly roles: readonly Role[];
  readonly restart: Readonly<Record<Role, RestartPolicy>>;
  readonly start: (role: Role) => RoleProcess;
}

/**
 * Runs the roles until the signal fires, then asks each to end and kills what
 * hasn't after 6 s. Answers with the exit code: 0 after the signal, 78 when a
 * role refused to work with these settings or this cluster (all others are
 * ended then), unless it had worked well before: what has changed since may
 * change back, and it is started again; 1 when all have ended and none may be restarted.
 */
export async function supervise(options: SupervisorOptions, signal: AbortSignal): Promise<number> {
  const stop = new AbortController();
  const stopping = AbortSignal.any([signal, stop.signal]);
  let refused = false;
  const keep = async (role: Role): Promise<void> => {
    let hasWorked = false;
    for (let failures = 0; !stopping.aborted; failures += 1) {
      const startedMs = options.clock.monotonicMs();
      const { code } = await runOnce(options, role, stopping);
      const wasSteady = options.clock.monotonicMs() - startedMs >= STEADY_MS;
      if (code === EXIT_REFUSED && !hasWorked) {
        refused = true;
        stop.abort();
      }
      if (stopping.aborted || options.restart[role] === 'never') return;
      if (wasSteady) failures = 0;
      hasWorked ||= wasSteady && code !== EXIT_REFUSED;
      const delayMs = backoffMs({
        random: options.random,
        attempt: failures,
        baseMs: RESTART_BASE_MS,
        capMs: RESTART_CAP_MS,
      });
      await options.clock.sleep(delayMs, stopping).catch(() => undefined);
    }
  };
  await Promise.all(options.roles.map(keep));
  if (refused) return EXIT_REFUSED;
  return signal.aborted ? 0 : 1;
}

async function runOnce(options: SupervisorOptions, role: Role, stopping: AbortSignal): Promise<RoleExit> {
  const { clock, log } = options;
  const child = options.start(role);
  log.info('role.started', { role, pid: child.pid });
  let cancelKill = (): void => {};
  const onStop = (): void => {
    child.signal('SIGTERM');
    cancelKill = clock.after(STOP_TIMEOUT_MS, () => {
      log.warn('role.killed', { role, pid: child.pid, afterMs: STOP_TIMEOUT_MS });
      child.signal('SIGKILL');
    });
  };
  stopping.addEventListener('abort', onStop, { once: true });
  const exit = await child.exited;
  stopping.removeEventListener('abort', onStop);
  cancelKill();
  log.info('role.exited', { role, pid: child.pid, ...exit });
  return exit;
}
