// The reaper between jest's global setup and teardown, which share a process but no module.

import type { Reaper } from '../../src/rig/docker/reaper.ts';

const shared = globalThis as { cobaltRigReaper?: Reaper };

export function keepReaper(reaper: Reaper): void {
  shared.cobaltRigReaper = reaper;
}

/** Every test has removed its own containers by now. */
export async function releaseReaper(): Promise<void> {
  await shared.cobaltRigReaper?.release();
  delete shared.cobaltRigReaper;
}
