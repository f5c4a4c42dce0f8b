// A role as an operating-system process of its own, so that it can be killed
// and paused alone.

import { spawn } from 'node:child_process';
import type { Role } from '../model/volume.ts';

export interface RoleExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface RoleProcess {
  /** Undefined when it couldn't be started; `exited` then resolves at once. */
  readonly pid: number | undefined;
  readonly exited: Promise<RoleExit>;
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/**
 * Starts `<node> <main> --role <role>`, with our environment and output. The
 * IPC channel carries no messages: its end tells the role that we are gone.
 */
export function spawnRole(options: { readonly main: string; readonly role: Role }): RoleProcess {
  const child = spawn(process.execPath, [...process.execArgv, options.main, '--role', options.role], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = new Promise<RoleExit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  return { pid: child.pid, exited, signal: (signal) => void child.kill(signal) };
}

/** Calls back when the supervisor that started this process is gone; never in a process started by hand. */
export function onSupervisorGone(callback: () => void): void {
  if (process.channel === undefined) return;
  process.once('disconnect', callback);
  // It may have died before we listened.
  if (!process.connected) callback();
}
