// Before the first test that uses testcontainers: builds the images whose
// inputs changed, and starts our reaper under the labels by which testcontainers
// finds one, so that it doesn't start its own, which would listen on every address.

import { createSystemClock } from '../../src/base/clock.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import { startReaper } from '../../src/rig/docker/reaper.ts';
import { setTestImages } from './images.ts';
import { buildImages } from './images-setup.ts';
import { keepReaper } from './kept-reaper.ts';

// jest calls the default export.
// biome-ignore lint/style/noDefaultExport: required by jest.
export default async function setUp(): Promise<void> {
  const { settings, docker, images } = await buildImages();
  setTestImages(images);
  process.env.RYUK_CONTAINER_IMAGE = images.reaper;
  // In a container testcontainers would look for published ports at the bridge's address,
  // not find our reaper there, and start one of its own after all.
  process.env.TESTCONTAINERS_HOST_OVERRIDE = '127.0.0.1';
  const id = newRunId();
  const labels = { 'org.testcontainers.ryuk': 'true', 'org.testcontainers.session-id': id };
  const socketPath = settings.socketInEngine;
  keepReaper(
    await startReaper({ docker, clock: createSystemClock(), image: images.reaper, socketPath, id, labels }),
  );
}
