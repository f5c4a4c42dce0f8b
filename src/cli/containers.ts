// The containers mode as the commands use it: with this machine's engine, this
// project's images.

import type { Clock } from '../base/clock.ts';
import { createSystemRandom, hex } from '../base/random.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { openContainersMode } from '../rig/docker/mode.ts';
import type { Mode } from '../rig/lifecycle.ts';
import { ROOT_FOLDER } from './root.ts';
import { readSettings } from './settings.ts';

export async function openContainers(clock: Clock, onProgress: (what: string) => void): Promise<Mode> {
  const settings = readSettings();
  return openContainersMode({
    docker: await connectEngine(settings.engine),
    clock,
    root: ROOT_FOLDER,
    socketPath: settings.socketInEngine,
    id: newRunId(),
    onProgress,
  });
}

/** Tells apart whatever runs side by side on one engine. */
export const newRunId = (): string => hex(createSystemRandom(), 8);
