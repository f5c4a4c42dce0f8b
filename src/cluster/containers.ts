// The containers mode as the commands use it: with this machine's engine, this
// project's images.

import type { Clock } from '../base/clock.ts';
import { createSystemRandom, hex } from '../base/random.ts';
import { connectEngine, engineHost } from '../rig/docker/engine.ts';
import { openContainersMode } from '../rig/docker/mode.ts';
import { requireImage } from '../rig/docker/system-image.ts';
import type { Mode } from '../rig/lifecycle.ts';
import { ROOT_FOLDER } from './root.ts';
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

/** Tells apart whatever runs side by side on one engine. */
export const newRunId = (): string => hex(createSystemRandom(), 8);
