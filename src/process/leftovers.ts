// What is left of runs whose rig and guard were both killed: told by the folders whose
// owner is no more.

import { readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FOLDER_PREFIX } from './place.ts';
import { endProcessesOfRun, startOf } from './processes.ts';

/** `<prefix><pid of the owner>-<its start>-<run>`. */
const NAME = new RegExp(`^${FOLDER_PREFIX}(\\d+)-(\\d+)-([A-Za-z0-9-]+)$`);

/** The runs of which something was ended or removed. */
export async function endLeftovers(clock: Clock): Promise<readonly string[]> {
  const found = readdirSync(tmpdir()).flatMap((name) => {
    const [, pid = '', start = '', runId = ''] = NAME.exec(name) ?? [];
    return runId === '' || startOf(Number(pid)) === start ? [] : [{ name, runId }];
  });
  for (const { name, runId } of found) {
    await endProcessesOfRun(clock, runId);
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return found.map(({ runId }) => runId);
}
