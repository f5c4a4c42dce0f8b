// Debian's package manager, as far as the rig needs it: install, ask for a
// candidate, and fetch from another release of the mirror this machine uses.
// No mirror's address is written down anywhere: apt itself is asked.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError } from '../../base/errors.ts';
import { withTemporaryFolder } from '../../base/temporary-folder.ts';
import { runCommand } from './command.ts';

const NONINTERACTIVE = { DEBIAN_FRONTEND: 'noninteractive' };
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** ID and ID_LIKE of os-release(5), or nothing where there is no such file. */
export async function distribution(): Promise<readonly string[]> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return parseDistribution(text);
}

export function parseDistribution(osRelease: string): readonly string[] {
  const values = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].map((match) => match[1] ?? '');
  return values.flatMap((value) => value.replaceAll(/["']/g, '').split(/\s+/)).filter((id) => id !== '');
}

/** True where the rig may install system packages: root on a Debian-like Linux. */
export async function canInstallPackages(): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const ids = await distribution();
  return ids.includes('debian') || ids.includes('ubuntu');
}

export async function aptUpdate(): Promise<void> {
  await runCommand('apt-get', ['update', '-qq'], { env: NONINTERACTIVE, timeoutMs: 180_000 });
}

export async function aptInstall(packages: readonly string[]): Promise<void> {
  const args = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  await runCommand('apt-get', args, { env: NONINTERACTIVE, timeoutMs: 600_000 });
}

/** The version that `apt-get install` would choose, or undefined when apt knows no such package. */
export async function aptCandidate(name: string): Promise<string | undefined> {
  const policy = await runCommand('apt-cache', ['policy', name]);
  const version = /^\s*Candidate: (.+)$/m.exec(policy)?.[1];
  return version === '(none)' ? undefined : version;
}

/** The Debian archive that this machine's apt uses. Throws `machine` where it uses none (Ubuntu's is another archive). */
export async function debianMirror(): Promise<string> {
  const format = '$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)';
  const targets = await runCommand('apt-get', ['indextargets', '--format', format]);
  const mirror = pickMirror(targets);
  if (mirror !== undefined) return mirror;
  throw new RigError('machine', 'the apt of this machine uses no Debian mirror', {
    next: 'run `apt-get update`, or give Docker access to a registry, so that debian:trixie-slim can be pulled',
  });
}

/** Picks Debian's main archive out of `apt-get indextargets` lines of origin, label, component and URI. */
export function pickMirror(targets: string): string | undefined {
  for (const line of targets.split('\n')) {
    const [origin, label, component, uri] = line.trim().split('|');
    if (origin === 'Debian' && label === 'Debian' && component === 'main' && uri) return uri;
  }
  return undefined;
}

/**
 * Unpacks packages of the machine's own release into a folder, without installing them: nothing is started, and
 * nothing of the machine changes. Throws `machine` where apt can't be had, or knows none of that name.
 */
export async function unpackPackages(names: readonly string[], folder: string): Promise<void> {
  await withTemporaryFolder('apt', async (temporary) => {
    await runCommand('apt-get', ['download', '-qq', ...names], { cwd: temporary, timeoutMs: 180_000 });
    await mkdir(folder, { recursive: true });
    for (const deb of await readdir(temporary))
      await runCommand('dpkg-deb', ['-x', join(temporary, deb), folder]);
  });
}

/**
 * Downloads one package of another Debian release, with an apt state of its
 * own: the machine's sources and lists stay as they are. Resolves to what
 * `use` makes of the .deb, which is gone afterwards.
 */
export async function withForeignPackage<T>(
  options: { readonly release: string; readonly name: string },
  use: (debPath: string) => Promise<T>,
): Promise<T> {
  const mirror = await debianMirror();
  return withTemporaryFolder('apt', async (folder) => {
    for (const name of ['lists/partial', 'cache/archives/partial', 'download']) {
      await mkdir(join(folder, name), { recursive: true });
    }
    await writeFile(
      join(folder, 'sources.list'),
      `deb [signed-by=${KEYRING}] ${mirror} ${options.release} main\n`,
    );
    const settings = [
      `Dir::Etc::sourcelist=${folder}/sources.list`,
      'Dir::Etc::sourceparts=-',
      `Dir::State::lists=${folder}/lists`,
      `Dir::Cache=${folder}/cache`,
      'APT::Sandbox::User=root', // apt's own user can't read a private folder.
      'Acquire::Languages=none',
    ].flatMap((setting) => ['-o', setting]);
    await runCommand('apt-get', [...settings, 'update', '-qq'], { timeoutMs: 180_000 });
    const download = join(folder, 'download');
    await runCommand('apt-get', [...settings, 'download', '-qq', options.name], { cwd: download });
    const deb = (await readdir(download)).find((name) => name.endsWith('.deb'));
    if (deb === undefined) throw new RigError('machine', `apt downloaded no ${options.name}.deb`);
    return use(join(download, deb));
  });
}
