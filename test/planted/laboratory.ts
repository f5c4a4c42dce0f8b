// Trials on real containers: a bug's image is built, run as any other system is, and removed.

import { join } from 'node:path';
import { abortError, type Clock } from '../../src/base/clock.ts';
import { openContainers } from '../../src/cluster/containers.ts';
import { openKv } from '../../src/cluster/open-kv.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import { readSettings } from '../../src/cluster/settings.ts';
import { RUN_LABEL } from '../../src/rig/compose/render.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';
import { ensureImages } from '../../src/rig/docker/images.ts';
import { startReaper } from '../../src/rig/docker/reaper.ts';
import { runLabel } from '../../src/rig/docker/removal.ts';
import { buildSystemImage } from '../../src/rig/docker/system-image.ts';
import { runScenario } from '../../src/rig/run.ts';
import { onSystem } from '../../src/rig/scenario.ts';
import { type PlantedBug, plantedRun } from './bug.ts';
import { plant } from './sources.ts';
import type { Laboratory } from './trial.ts';

/** Of the repository of all images with bugs; their tags tell them and their trials apart. */
export const PLANTED_REPOSITORY = 'cobalt-rig/planted';

export interface LaboratoryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Tells apart whatever runs side by side on one engine; the tags of the images begin with it. */
  readonly id: string;
  /** Where the folders of the runs go. */
  readonly out: string;
  readonly onProgress: (line: string) => void;
}

/** Disposing of it leaves nothing behind but the folders of the runs. */
export async function openLaboratory(options: LaboratoryOptions): Promise<Laboratory & AsyncDisposable> {
  const { clock, signal, id, out, onProgress } = options;
  await using opening = new AsyncDisposableStack();
  const settings = readSettings();
  const docker = await connectEngine(settings.engine);
  const mode = opening.use(await openContainers(clock, onProgress));
  const images = await ensureImages(docker, { root: ROOT_FOLDER, onProgress });
  const labels = { [RUN_LABEL]: id };
  // Images with bugs are to go even if this process is killed.
  const reaper = await startReaper({
    docker,
    clock,
    image: images.reaper,
    socketPath: settings.socketInEngine,
    id,
  });
  opening.defer(() => reaper.release());
  await reaper.protect(runLabel(id));

  const build = async (bug: PlantedBug): Promise<AsyncDisposable & { readonly tag: string }> => {
    using planted = plant(bug);
    const tag = `${PLANTED_REPOSITORY}:${id}-${bug.name}`;
    const parentTag = images['node-os'];
    const quiet = (): void => undefined;
    const image = await buildSystemImage(docker, {
      root: planted.root,
      tag,
      parentTag,
      labels,
      onProgress: quiet,
    });
    return { tag, [Symbol.asyncDispose]: () => image[Symbol.asyncDispose]() };
  };
  const run: Laboratory['run'] = async (text, bug) => {
    if (signal.aborted) throw abortError(signal);
    const { scenario, seed } = plantedRun(text);
    await using image = bug === null ? null : await build(bug);
    // Awaited here: the image goes when this block is left.
    return await runScenario({
      scenario: image === null ? scenario : onSystem(scenario, image.tag),
      seed,
      folder: join(out, `${bug?.name ?? 'clean'}-${scenario.name}-${seed}`),
      runId: newRunId(),
      clock,
      signal,
      deploy: mode.deploy,
      openKv,
      keep: 'never',
      onProgress: () => undefined,
    });
  };
  const opened = opening.move();
  return { run, now: () => clock.monotonicMs(), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
