// Gets the programs of a cluster of processes from Debian's packages, for this project
// alone: to install etcd-server would start one on most machines.

import { join } from 'node:path';
import { PROGRAMS_FOLDER } from '../process/programs.ts';
import { aptCandidate, aptUpdate, canInstallPackages, unpackPackages } from '../rig/docker/apt.ts';

/** Throws `machine` where there is no apt, or no such package. */
export async function fetchPrograms(options: {
  readonly packages: readonly string[];
  readonly root: string;
  readonly onProgress: (line: string) => void;
}): Promise<void> {
  const { packages, root, onProgress } = options;
  const known = await Promise.all(packages.map((name) => aptCandidate(name)));
  if (known.includes(undefined) && (await canInstallPackages())) await aptUpdate();
  onProgress(`fetching ${packages.join(' and ')} with apt-get`);
  await unpackPackages(packages, join(root, PROGRAMS_FOLDER));
}
