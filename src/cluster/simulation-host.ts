// What a simulated cluster has of the real process that it runs in: its event loop, its
// disk for the record, and the daemon's code, loaded before simulated time begins.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catchUnhandled, watchForReal, whenIdle } from '../base/event-loop.ts';
import { makeFolder } from '../base/make-folder.ts';
import type { Machine } from '../rig/machine.ts';
import type { EventLoop } from '../simulator/drive.ts';

export const THIS_LOOP: EventLoop = { whenIdle, watchForReal, catchUnhandled };

/** Whatever is simulated has a core of its own. */
export const IDLE_MACHINE: Machine = { cores: 1, runnable: () => 0, isIdle: true };

/** Synchronously: nothing waits for anything real in simulated time. */
export function writeFileNow(folder: string, name: string, text: string): void {
  makeFolder(folder);
  writeFileSync(join(folder, name), text);
}

/** In simulated time nothing is read from a real disk (daemon/roles.ts). */
export async function loadRoles(): Promise<void> {
  await Promise.all([
    import('../daemon/agent/agent.ts'),
    import('../daemon/api/api.ts'),
    import('../daemon/cluster.ts'),
    import('../daemon/engine/engine.ts'),
    import('../daemon/engine/notify/notifier.ts'),
    import('../daemon/peers.ts'),
    import('../daemon/secret.ts'),
  ]);
}
