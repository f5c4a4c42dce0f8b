// The Compose v2 plugin: is it there, and where to get it where it isn't.

import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError } from '../../base/errors.ts';
import { withTemporaryFolder } from '../../base/temporary-folder.ts';
import { aptCandidate, aptInstall, aptUpdate, canInstallPackages, withForeignPackage } from './apt.ts';
import { commandSucceeds, runCommand } from './command.ts';

/** Where every Docker CLI looks for plugins of the whole machine. */
const PLUGIN_FOLDER = '/usr/local/lib/docker/cli-plugins';
/** Debian's packaging of the plugin, and the release whose package is version 2. */
const PLUGIN_IN_PACKAGE = 'usr/libexec/docker/cli-plugins/docker-compose';
const RELEASE_WITH_V2 = 'trixie';

const NEXT =
  'run scripts/setup, or install the Compose plugin, version 2 (docker-compose-v2 on Ubuntu, docker-compose on Debian 13)';

/** Throws `machine` with one clear line where no cluster could be brought up. */
export async function requireCompose(): Promise<void> {
  await composeVersion();
}

/** The plugin's version. Throws `machine` when there is no Docker CLI, no plugin, or only version 1. */
export async function composeVersion(): Promise<string> {
  const version = await runCommand('docker', ['compose', 'version', '--short'], {
    timeoutMs: 10_000,
    next: NEXT,
  }).catch((error: unknown) => {
    throw withoutCompose(RigError.from(error)) ?? error;
  });
  if (/^v?([2-9]|\d\d)\./.test(version)) return version.replace(/^v/, '');
  throw new RigError('machine', `Docker Compose is version ${version}`, { next: NEXT });
}

/** The CLI's words for a command that it doesn't know differ from version to version. */
function withoutCompose(cause: RigError): RigError | undefined {
  const options = { next: NEXT, cause };
  if (/command not found$/.test(cause.message)) {
    return new RigError('machine', 'the docker command was not found', options);
  }
  const unknown = /is not a docker command|unknown command|unknown (shorthand )?flag/;
  return unknown.test(cause.message)
    ? new RigError('machine', 'Docker has no Compose plugin', options)
    : undefined;
}

/** Installs the plugin from the machine's own release, else from Debian 13's package. */
export async function installCompose(options: {
  readonly onProgress: (line: string) => void;
}): Promise<void> {
  if (!(await canInstallPackages())) {
    throw new RigError('machine', 'the Compose plugin is missing, and this is not root on Debian or Ubuntu', {
      next: 'install Docker Compose 2 as a plugin of the Docker CLI',
    });
  }
  if ((await aptCandidate('docker-compose')) === undefined) await aptUpdate();
  if (!(await commandSucceeds('docker', ['--version']))) await installDockerCli(options);
  const ownPackage = await packageWithV2();
  if (ownPackage !== undefined) {
    options.onProgress(`installing ${ownPackage} with apt-get`);
    await aptInstall([ownPackage]);
    return;
  }
  options.onProgress(`fetching the Compose plugin of Debian ${RELEASE_WITH_V2} from this machine's mirror`);
  await withForeignPackage({ release: RELEASE_WITH_V2, name: 'docker-compose' }, async (debPath) => {
    await withTemporaryFolder('compose', async (unpacked) => {
      await runCommand('dpkg-deb', ['-x', debPath, unpacked]);
      await mkdir(PLUGIN_FOLDER, { recursive: true });
      await copyFile(join(unpacked, PLUGIN_IN_PACKAGE), join(PLUGIN_FOLDER, 'docker-compose'));
      await chmod(join(PLUGIN_FOLDER, 'docker-compose'), 0o755);
    });
  });
}

/** Where the engine is another machine's, or the host's of this container, its client may be missing here. */
async function installDockerCli(options: { readonly onProgress: (line: string) => void }): Promise<void> {
  // Since Debian 13 the client is a package of its own.
  const name = (await aptCandidate('docker-cli')) === undefined ? 'docker.io' : 'docker-cli';
  options.onProgress(`installing ${name} with apt-get`);
  await aptInstall([name]);
}

/** Ubuntu's name first; Debian's `docker-compose` was version 1 before trixie. */
async function packageWithV2(): Promise<string | undefined> {
  if ((await aptCandidate('docker-compose-v2')) !== undefined) return 'docker-compose-v2';
  const version = await aptCandidate('docker-compose');
  return version !== undefined && /^(\d+:)?[2-9]\./.test(version) ? 'docker-compose' : undefined;
}
