// Ends what is left of a run when the rig is no more, however that came: started before
// anything else of the run, it waits for the end of its input, which only the rig can
// write to. Arguments: the run's id, and its folder.

import { rmSync } from 'node:fs';
import { basename } from 'node:path';
import { createSystemClock } from '../base/clock.ts';
import { FOLDER_PREFIX } from './place.ts';
import { endProcessesOfRun } from './processes.ts';

const [runId = '', folder = ''] = process.argv.slice(2);
if (runId === '' || !basename(folder).startsWith(FOLDER_PREFIX)) {
  process.stderr.write('usage: guard.ts <run> <folder>\n');
  process.exit(64);
}
// Whoever stops the rig by these has the rig in mind.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
process.stdin.resume();
await new Promise((resolve) => process.stdin.once('close', resolve));
await endProcessesOfRun(createSystemClock(), runId);
rmSync(folder, { recursive: true, force: true });
