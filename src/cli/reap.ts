// `rig reap`: heals the faults that a rig which died has left in a cluster that is still there.

import { join } from 'node:path';
import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { endRun } from '../process/leftovers.ts';
import { EXIT_MACHINE } from '../rig/checks/judge.ts';
import { attachContainers } from '../rig/docker/attach.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { ensureImages } from '../rig/docker/images.ts';
import { describeFault } from '../rig/faults/catalogue.ts';
import { owedHits } from '../rig/faults/owed.ts';
import { reap } from '../rig/reap.ts';
import { COMPOSE_FILE, readRecordedRun, readRunFile } from '../rig/record-files.ts';
import { ROOT_FOLDER } from './root.ts';
import { readSettings } from './settings.ts';

export function registerReap(program: Command): void {
  program
    .command('reap')
    .description('heal what a rig that died has left broken in its cluster')
    .argument('<folder>', 'the run: runs/<time>-<scenario>-<seed>')
    .action(async (folder: string) => {
      const { runId, topology, mode } = await readRunFile(folder);
      if (mode !== undefined) {
        // Whatever such a run has broken was its own, and went with it.
        const ended = mode === 'process' && (await endRun(createSystemClock(), runId));
        process.stdout.write(
          ended
            ? `ended what was left of run ${runId}\n`
            : `nothing to do: a ${mode} cluster ends with its rig\n`,
        );
        return;
      }
      const run = await readRecordedRun(folder);
      const hits = owedHits(run.history);
      if (hits.length === 0) {
        process.stdout.write('nothing to do: every fault was healed\n');
        return;
      }
      const docker = await connectEngine(readSettings().engine);
      const clock = createSystemClock();
      const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
      const images = await ensureImages(docker, { root: ROOT_FOLDER, onProgress });
      const composeFile = join(folder, COMPOSE_FILE);
      const deployment = await attachContainers({ docker, clock, images, topology, runId, composeFile });
      if (deployment === undefined) {
        process.stdout.write(`nothing to do: the cluster of run ${runId} is gone\n`);
        return;
      }
      const signal = new AbortController().signal;
      const reaped = await reap({ deployment, clock, run, hits, signal });
      for (const { hit, isHealed, seen } of reaped) {
        const what = `${describeFault(hit.spec)} (${hit.id})`;
        process.stdout.write(`${isHealed ? 'healed' : 'NOT healed'}: ${what}: ${seen}\n`);
      }
      if (reaped.some(({ isHealed }) => !isHealed)) process.exitCode = EXIT_MACHINE;
    });
}
