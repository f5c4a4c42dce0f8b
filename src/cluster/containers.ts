// The containers mode with this machine's engine and this project's images.

import { type Clock, createSystemClock } from '../base/clock.ts';
import { connectEngine, engineHost } from '../rig/docker/engine.ts';
import { requireCompose } from '../rig/docker/install-compose.ts';
import { openContainersMode } from '../rig/docker/mode.ts';
import { requireImage } from '../rig/docker/system-image.ts';
import type { Mode } from '../rig/lifecycle.ts';
import { type ClusterMode, lackOf } from './mode.ts';
import { openKv } from './open-kv.ts';
import { ROOT_FOLDER } from './root.ts';
import { newRunId } from './run-id.ts';
import { readSettings } from './settings.ts';

/** `system`: an image that has to be there besides the project's own. */
export async function openContainers(
  clock: Clock,
  onProgress: (what: string) => void,
  { system }: { readonly system?: string | undefined } = {},
): Promise<Mode> {
  const settings = readSettings();
  const docker = await connectEngine(settings.engine);
  if (system !== undefined) await requireImage(docker, { image: system, host: engineHost(settings.engine) });
  return openContainersMode({
    docker,
    clock,
    root: ROOT_FOLDER,
    socketPath: settings.socketInEngine,
    id: newRunId(),
    onProgress,
  });
}

export const containers: ClusterMode = {
  missing: () =>
    lackOf(async () => {
      await connectEngine(readSettings().engine);
      await requireCompose();
    }),
  open: async ({ system, onProgress }) => {
    const clock = createSystemClock();
    const mode = await openContainers(clock, onProgress, { system });
    return { ...mode, clock, openKv, runId: newRunId(), conduct: (work) => work() };
  },
};
