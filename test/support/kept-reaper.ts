// The reaper between jest's global setup and teardown, which share a process but no module.

import type { Reaper } from '../../src/rig/docker/reaper.ts';

const shared = globalThis as { cobaltRigReaper?: Reaper };

export function keepReaper(reaper: Reaper): void {
  shared.cobaltRigReaper = reaper;
}

/**
 * Hangs up, so that it ends once nobody is connected any more. testcontainers takes the newest
 * reaper there is, whoever's: another jest run that was started before this one may be using it.
 */
export function leaveReaper(): void {
  shared.cobaltRigReaper?.leave();
  delete shared.cobaltRigReaper;
}
