// The process mode as the commands use it: with this machine's etcd, this project's sources.

import type { Clock } from '../base/clock.ts';
import { createSystemRandom } from '../base/random.ts';
import { openProcessMode } from '../process/mode.ts';
import { findEtcd } from '../process/programs.ts';
import type { Mode } from '../rig/lifecycle.ts';
import { ROOT_FOLDER } from './root.ts';
import { readProgramSettings } from './settings.ts';

export async function openProcesses(
  clock: Clock,
  onProgress: (what: string) => void,
  { etcdBinary }: { readonly etcdBinary?: string | undefined } = {},
): Promise<Mode> {
  const { etcdBinary: configured, searchPath } = readProgramSettings();
  const { path, version } = await findEtcd({
    named: etcdBinary ?? configured,
    searchPath,
    root: ROOT_FOLDER,
  });
  onProgress(`etcd ${version} (${path})`);
  return openProcessMode({
    clock,
    random: createSystemRandom(),
    root: ROOT_FOLDER,
    etcdBinary: path,
    onProgress,
  });
}
