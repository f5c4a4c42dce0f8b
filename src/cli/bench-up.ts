// `rig bench up`: `rig up` against `docker compose up -d --wait` of the same
// file, in turns in one run, because the machine is shared and noisy.

import { join } from 'node:path';
import type { Command } from 'commander';
import { execa } from 'execa';
import { RigError } from '../base/errors.ts';
import { ROOT_FOLDER } from './root.ts';

const RIG = [process.execPath, join(ROOT_FOLDER, 'src/cli/main.ts')] as const;
const NAME = 'bench';

export function registerBench(program: Command): void {
  program
    .command('bench')
    .description('measure, side by side; prints ratios')
    .command('up')
    .description('rig up until a volume can be created, against docker compose up -d --wait of the same file')
    .option('--rounds <number>', 'how often each is timed', parseRounds, 5)
    .action(benchUp);
}

function parseRounds(text: string): number {
  const rounds = Number(text);
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 100) return rounds;
  throw new RigError('invalid', `'${text}' is no number of rounds`, {
    next: 'Give a whole number from 1 to 100.',
  });
}

async function benchUp({ rounds }: { readonly rounds: number }): Promise<void> {
  const rigMs: number[] = [];
  const composeMs: number[] = [];
  // The first start builds images and warms caches; it isn't counted.
  await timed(rigUp);
  await rigDown();
  for (let round = 1; round <= rounds; round += 1) {
    rigMs.push(await timed(rigUp));
    await rigDown();
    composeMs.push(await timed(composeUp));
    await composeDown();
    process.stdout.write(`round ${round}: rig ${rigMs.at(-1)} ms, compose ${composeMs.at(-1)} ms\n`);
  }
  const ratio = median(rigMs) / median(composeMs);
  process.stdout.write(
    `median of ${rounds}: rig up ${median(rigMs)} ms, docker compose up -d --wait ${median(composeMs)} ms, ` +
      `ratio ${ratio.toFixed(2)} (below 1: the rig is faster)\n`,
  );
}

const [NODE, MAIN] = RIG;
const rigUp = () => execa(NODE, [MAIN, 'up', '--name', NAME]);
const rigDown = () => execa(NODE, [MAIN, 'down', '--name', NAME]);

/** The very file that `rig up` has just used, under the same project name. */
const compose = (...args: readonly string[]) =>
  execa('docker', ['compose', '-f', join('runs', `up-${NAME}`, 'compose.yaml'), ...args]);
const composeUp = () => compose('up', '--detach', '--wait');
const composeDown = () => compose('down', '--timeout', '0', '--volumes');

async function timed(action: () => PromiseLike<unknown>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return Math.round(performance.now() - startedMs);
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}
