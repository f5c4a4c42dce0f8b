// What is left of runs whose rig and guard were both killed: told by the folders whose
// owner is no more.

import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { startOf } from '../base/process-start.ts';
import { FOLDER_PREFIX } from './place.ts';
import { endProcessesOfRun } from './processes.ts';

/** `<prefix><pid of the owner>-<its start>-<run>`. */
const NAME = new RegExp(`^${FOLDER_PREFIX}(\\d+)-(\\d+)-([A-Za-z0-9-]+)$`);

/** The runs of which something was ended or removed: of those whose rig is no more. */
export async function endLeftovers(clock: Clock): Promise<readonly string[]> {
  const left = folders().filter(({ isOwned }) => !isOwned);
  for (const { name, runId } of left) await endFolder(clock, { name, runId });
  return left.map(({ runId }) => runId);
}

/** Whether there was something left of that run. Throws `conflict` while its rig is at work. */
export async function endRun(clock: Clock, runId: string): Promise<boolean> {
  const found = folders().find((folder) => folder.runId === runId);
  if (found?.isOwned === true) {
    throw new RigError('conflict', `run ${runId} is still going on`, { next: 'Stop its rig with Ctrl-C.' });
  }
  if (found !== undefined) await endFolder(clock, found);
  return found !== undefined;
}

const folders = () =>
  readdirSync(tmpdir()).flatMap((name) => {
    const [, pid = '', start = '', runId = ''] = NAME.exec(name) ?? [];
    return runId === '' ? [] : [{ name, runId, isOwned: startOf(Number(pid)) === start }];
  });

async function endFolder(
  clock: Clock,
  { name, runId }: { readonly name: string; readonly runId: string },
): Promise<void> {
  await endProcessesOfRun(clock, runId);
  rmSync(join(tmpdir(), name), { recursive: true, force: true });
}
