// A cluster of plain Compose files, as a user has it without the rig: those that are checked in, but for the names
// of the images, which are this working copy's, and for a label by which a reaper finds what a killed test leaves.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { createSystemClock } from '../../src/base/clock.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { newRunId } from '../../src/cluster/run-id.ts';
import { readSettings } from '../../src/cluster/settings.ts';
import { renderGolden } from '../../src/rig/compose/goldens.ts';
import { RUN_LABEL } from '../../src/rig/compose/render.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';
import { ensureImages, type ImageSet } from '../../src/rig/docker/images.ts';
import { startReaper } from '../../src/rig/docker/reaper.ts';
import { CLUSTER_IMAGES, type ImageName } from '../../src/rig/docker/recipes.ts';
import { runLabel } from '../../src/rig/docker/removal.ts';

export interface PlainCompose extends AsyncDisposable {
  /** `docker compose <args>` on these files; answers with what it printed. */
  run(...args: readonly string[]): Promise<string>;
  /** Where a service's port is published. */
  url(service: string, port: number): Promise<string>;
  /** Containers, networks and volumes of this project that there are. */
  remains(): Promise<readonly string[]>;
}

/** Of `compose/<name>.yaml` each, in order; `images`: what they take beside the cluster's own. Nothing is started. */
export async function plainCompose(
  names: readonly string[],
  more: readonly ImageName[],
): Promise<PlainCompose> {
  const settings = readSettings();
  const docker = await connectEngine(settings.engine);
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  const images = await ensureImages(docker, {
    root: ROOT_FOLDER,
    onProgress,
    only: [...CLUSTER_IMAGES, ...more],
  });
  const id = newRunId();
  const reaper = await startReaper({
    docker,
    clock: createSystemClock(),
    image: images.reaper,
    socketPath: settings.socketInEngine,
    id,
  });
  await reaper.protect(runLabel(id));
  const folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-compose-'));
  const files = names.map((name) => {
    const path = join(folder, `${name}.yaml`);
    writeFileSync(path, stringify(asTested(parse(renderGolden(name) ?? ''), id, images)));
    return ['--file', path];
  });
  const project = `plain-${id}`;
  const run = async (...args: readonly string[]): Promise<string> => {
    const command = ['compose', '--project-name', project, ...files.flat(), ...args];
    return (await execa('docker', command, { stdin: 'ignore', env: { COMPOSE_ANSI: 'never' } })).stdout;
  };
  const remains = async (): Promise<readonly string[]> => {
    const filters = { label: [`com.docker.compose.project=${project}`] };
    const containers = await docker.listContainers({ all: true, filters });
    const networks = await docker.listNetworks({ filters });
    const { Volumes } = await docker.listVolumes({ filters });
    return [
      ...containers.map(({ Names }) => Names.join()),
      ...networks.map(({ Name }) => Name),
      ...(Volumes ?? []).map(({ Name }) => Name),
    ];
  };
  return {
    run,
    url: async (service, port) => `http://${(await run('port', service, String(port))).trim()}`,
    remains,
    [Symbol.asyncDispose]: async () => {
      await run('down', '--volumes', '--timeout', '0');
      await reaper.release();
      rmSync(folder, { recursive: true });
    },
  };
}

interface Document {
  readonly services: Readonly<Record<string, { readonly image: string }>>;
  readonly networks?: Readonly<Record<string, object>>;
  readonly volumes?: Readonly<Record<string, object>>;
}

function asTested(document: Document, id: string, images: ImageSet): Document {
  const labels = { [RUN_LABEL]: id };
  const labelled = <T extends object>(section: Readonly<Record<string, T>> = {}) =>
    Object.fromEntries(Object.entries(section).map(([name, value]) => [name, { ...value, labels }]));
  const services = Object.entries(labelled(document.services)).map(([name, { image, ...service }]) => {
    const [, of = ''] = /^cobalt-rig\/(.*):latest$/.exec(image) ?? [];
    return [name, { ...service, image: images[of as ImageName] }];
  });
  return {
    ...document,
    services: Object.fromEntries(services),
    networks: labelled(document.networks),
    volumes: labelled(document.volumes),
  };
}
