// `rig bench up`: `rig up` against `docker compose up -d --wait` of the same file, and `rig down` against `docker
// compose down -t 0 -v`, in turns in one run, because the machine is shared and noisy.

import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { ROOT_FOLDER } from '../cluster/root.ts';
import { newRunId } from '../cluster/run-id.ts';
import { readSettings } from '../cluster/settings.ts';
import { compose } from '../rig/docker/compose-cli.ts';
import { projectOf } from '../rig/docker/deploy.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { removeRun } from '../rig/docker/removal.ts';
import { COMPOSE_FILE } from '../rig/record-files.ts';
import { runIdOf, upFolder } from './cluster-name.ts';
import { median } from './distribution.ts';
import { catchInterrupt } from './interrupt.ts';

const MAIN = join(ROOT_FOLDER, 'src/cli/main.ts');

export async function benchUp({ rounds }: { readonly rounds: number }): Promise<void> {
  const docker = await connectEngine(readSettings().engine);
  const name = `bench-${newRunId()}`;
  const runId = runIdOf(name);
  const folder = await mkdtemp(join(tmpdir(), 'cobalt-rig-'));
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  try {
    const took = await measure({ name, folder, rounds, signal: interrupt.signal });
    for (const [what, { rigMs, composeMs }] of Object.entries(took)) {
      const ratio = median(rigMs) / median(composeMs);
      process.stdout.write(
        `median of ${rounds}: ${what} by rig ${median(rigMs)} ms, by docker compose ${median(composeMs)} ms, ` +
          `ratio ${ratio.toFixed(2)} (below 1: the rig is faster)\n`,
      );
    }
  } finally {
    await removeRun(docker, runId);
    for (const made of [folder, upFolder(name)]) await rm(made, { recursive: true, force: true });
  }
}

/** What each round took. */
interface Took {
  readonly rigMs: number[];
  readonly composeMs: number[];
}

async function measure(options: {
  readonly name: string;
  readonly folder: string;
  readonly rounds: number;
  readonly signal: AbortSignal;
}): Promise<Readonly<Record<'up' | 'down', Took>>> {
  const { name, folder, rounds, signal } = options;
  const up: Took = { rigMs: [], composeMs: [] };
  const down: Took = { rigMs: [], composeMs: [] };
  // A process of its own each time: that is what a user waits for.
  const rig = (command: string) => () => runRig([command, '--name', name], signal);
  const project = { project: projectOf(runIdOf(name)), file: join(folder, COMPOSE_FILE) };
  // The first start builds images and warms caches; it isn't counted.
  await rig('up')();
  // The very file that `rig up` used, under the same project name; `rig down` removes the original.
  await copyFile(join(upFolder(name), COMPOSE_FILE), project.file);
  await rig('down')();
  const composeDown = () => compose(project, ['down', '--timeout', '0', '--volumes'], { signal });
  for (let round = 1; round <= rounds; round += 1) {
    up.rigMs.push(await timed(rig('up')));
    down.rigMs.push(await timed(rig('down')));
    up.composeMs.push(await timed(() => compose(project, ['up', '--detach', '--wait'], { signal })));
    down.composeMs.push(await timed(composeDown));
    const line = ({ rigMs, composeMs }: Took): string =>
      `rig ${rigMs.at(-1)} ms, compose ${composeMs.at(-1)} ms`;
    process.stdout.write(`round ${round}: up ${line(up)}; down ${line(down)}\n`);
  }
  return { up, down };
}

/** Throws what the rig said on stderr, or `aborted`. */
async function runRig(args: readonly string[], signal: AbortSignal): Promise<void> {
  const { failed, isCanceled, stderr } = await execa(process.execPath, [MAIN, ...args], {
    cancelSignal: signal,
    // A Ctrl-C reaches it once, from here: the second would make it leave its cluster behind.
    detached: true,
    reject: false,
  });
  if (isCanceled) throw new RigError('aborted', 'the benchmark was interrupted');
  if (failed) throw new RigError('machine', `rig ${args[0]} failed: ${stderr.replace(/^rig: /, '')}`);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const clock = createSystemClock();
  const startedMs = clock.monotonicMs();
  await action();
  return Math.round(clock.monotonicMs() - startedMs);
}
