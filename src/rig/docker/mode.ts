// The containers mode: what must be there before the first cluster starts (engine,
// images, reaper), and what goes when the last one has ended.

import { join } from 'node:path';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import type { Mode } from '../lifecycle.ts';
import { COMPOSE_FILE } from '../record-files.ts';
import { deployContainers, runLabel } from './deploy.ts';
import { ensureImages } from './images.ts';
import { type Reaper, startReaper } from './reaper.ts';

export async function openContainersMode(options: {
  readonly docker: Docker;
  readonly clock: Clock;
  /** The project's root, where images/ and src/ are. */
  readonly root: string;
  readonly socketPath: string;
  /** Tells concurrent rigs apart. */
  readonly id: string;
  readonly onProgress: (what: string) => void;
}): Promise<Mode> {
  const { docker, clock, root, socketPath, id, onProgress } = options;
  const images = await ensureImages(docker, { root, onProgress });
  let reaper: Promise<Reaper> | undefined;
  const protect = async (label: string): Promise<void> => {
    reaper ??= startReaper({ docker, clock, image: images.reaper, socketPath, id });
    await (await reaper).protect(label);
  };
  return {
    deploy: async ({ topology, runId, folder, absentAtStart, outlivesRig, signal }) => {
      // Before anything of the cluster exists: there is no moment at which a killed rig leaves something behind.
      if (outlivesRig !== true) await protect(runLabel(runId));
      const composeFile = join(folder, COMPOSE_FILE);
      return deployContainers({ docker, clock, images, topology, runId, composeFile, absentAtStart, signal });
    },
    [Symbol.asyncDispose]: async () => {
      await (await reaper)?.release();
    },
  };
}
