// The process mode as the commands use it: with this machine's etcd, this project's sources.

import { type Clock, createSystemClock } from '../base/clock.ts';
import { createSystemRandom } from '../base/random.ts';
import { openProcessMode } from '../process/mode.ts';
import { findEtcd } from '../process/programs.ts';
import type { Mode } from '../rig/lifecycle.ts';
import { type ClusterMode, lackOf } from './mode.ts';
import { openKv } from './open-kv.ts';
import { ROOT_FOLDER } from './root.ts';
import { newRunId } from './run-id.ts';
import { readProgramSettings } from './settings.ts';

export async function openProcesses(
  clock: Clock,
  onProgress: (what: string) => void,
  { etcdBinary }: { readonly etcdBinary?: string | undefined } = {},
): Promise<Mode> {
  const { path, version } = await etcdHere(etcdBinary);
  onProgress(`etcd ${version} (${path})`);
  return openProcessMode({
    clock,
    random: createSystemRandom(),
    root: ROOT_FOLDER,
    etcdBinary: path,
    onProgress,
  });
}

/** Throws `machine` where there is none. */
function etcdHere(etcdBinary?: string): ReturnType<typeof findEtcd> {
  const { etcdBinary: configured, searchPath } = readProgramSettings();
  return findEtcd({ named: etcdBinary ?? configured, searchPath, root: ROOT_FOLDER });
}

/** Of the program. Throws `machine` where there is none that works. */
export const etcdPath = async (): Promise<string> => (await etcdHere()).path;

export const processes: ClusterMode = {
  missing: () => lackOf(etcdHere),
  open: async ({ onProgress }) => {
    const clock = createSystemClock();
    const mode = await openProcesses(clock, onProgress);
    return { ...mode, clock, openKv, runId: newRunId(), conduct: (work) => work(), recordedAs: 'process' };
  },
};
