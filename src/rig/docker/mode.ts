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
import { type Reaper, startReaper } from './reaper.ts';
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
  let reaper: Promise<Reaper> | undefined;
  /** Labels of clusters that must be gone when this process is. */
  const owed = new Set<string>();
  return {
    machine,
    deploy: async ({ topology, runId, folder, absentAtStart, outlivesRig, signal }) => {
      await refuseExisting(docker, runId);
      const label = runLabel(runId);
      // Before anything of the cluster exists: there is no moment at which a killed rig leaves something behind. A
      // reaper that is yet to start knows the label from the beginning, and starts side by side with the cluster.
      if (reaper !== undefined) await (await reaper).protect(label);
      reaper ??= startReaper({ docker, clock, image: images.reaper, socketPath, id, protect: label });
      const watching = reaper;
      watching.catch(() => undefined);
      owed.add(label);
      const composeFile = join(folder, COMPOSE_FILE);
      const onEnd = (): void => {
        owed.delete(label);
        watching.then((watcher) => watcher.forget(label)).catch(() => undefined);
      };
      const deployment = await deployContainers({
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
      try {
        await watching;
      } catch (error) {
        await deployment.teardown();
        throw error;
      }
      return deployment;
    },
    [Symbol.asyncDispose]: async () => {
      const started = await reaper?.catch(() => undefined);
      if (owed.size === 0) await started?.release();
      else started?.leave();
    },
  };
}
