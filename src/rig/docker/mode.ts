// The containers mode: what must be there before the first cluster starts (engine,
// images, reaper), and what goes when the last one has ended.

import { join } from 'node:path';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import type { Mode } from '../lifecycle.ts';
import { COMPOSE_FILE } from '../record-files.ts';
import { deployContainers, refuseExisting } from './deploy.ts';
import { machineOf } from './engine-machine.ts';
import { ensureImages } from './images.ts';
import { requireCompose } from './install-compose.ts';
import { startReaper } from './reaper.ts';
import { runLabel } from './removal.ts';

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
  // Side by side: asking for Compose takes as long as finding that no image is missing. What there is to say of
  // Compose comes first, whichever is faster: an engine that can't do one thing may not do the other.
  const ensuring = ensureImages(docker, { root, onProgress });
  ensuring.catch(() => undefined);
  const finding = machineOf(docker);
  finding.catch(() => undefined);
  await requireCompose();
  const images = await ensuring;
  const machine = await finding;
  const reaper = lazily(() => startReaper({ docker, clock, image: images.reaper, socketPath, id }));
  /** Labels of clusters that must be gone when this process is. */
  const owed = new Set<string>();
  return {
    machine,
    deploy: async ({ topology, runId, folder, absentAtStart, outlivesRig, signal }) => {
      await refuseExisting(docker, runId);
      const label = runLabel(runId);
      // Before anything of the cluster exists: there is no moment at which a killed rig leaves something behind.
      const watcher = await reaper.get();
      await watcher.protect(label);
      owed.add(label);
      const composeFile = join(folder, COMPOSE_FILE);
      const onEnd = (): void => {
        owed.delete(label);
        watcher.forget(label);
      };
      return deployContainers({
        docker,
        clock,
        images,
        topology,
        runId,
        guard: id,
        composeFile,
        absentAtStart,
        // For whoever looks at it by Docker's own means; the rig asks the members themselves.
        healthchecks: outlivesRig === true,
        signal,
        onEnd,
      });
    },
    [Symbol.asyncDispose]: async () => {
      const started = await reaper.started();
      if (owed.size === 0) await started?.release();
      else started?.leave();
    },
  };
}

/** Makes it at the first use; a failure is thrown there, and only there. */
function lazily<T>(make: () => Promise<T>): { get(): Promise<T>; started(): Promise<T | undefined> } {
  let made: Promise<T> | undefined;
  return {
    get: () => {
      made ??= make();
      return made;
    },
    started: async () => made?.catch(() => undefined),
  };
}
