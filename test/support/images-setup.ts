// Before the first of several workers: builds the images whose inputs changed, which each of them would do at once.

import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { readSettings } from '../../src/cluster/settings.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';
import { ensureImages } from '../../src/rig/docker/images.ts';

export async function buildImages() {
  const settings = readSettings();
  const docker = await connectEngine(settings.engine);
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  return { settings, docker, images: await ensureImages(docker, { root: ROOT_FOLDER, onProgress }) };
}

// jest calls the default export.
// biome-ignore lint/style/noDefaultExport: required by jest.
export default buildImages;
