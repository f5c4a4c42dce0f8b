// `npm run leaks`: kills rigs by SIGKILL at moments that are drawn, and looks for what is left on the whole machine.
// Nothing else may use Docker meanwhile. Exits with 0 if nothing was, with 1 if something was, or if the rig beside
// noticed, and with 3 if a rig failed for another reason.

import { Command } from 'commander';
import { createSystemClock } from '../../src/base/clock.ts';
import { createSeededRandom, createSystemRandom } from '../../src/base/random.ts';
import { wholeNumber } from '../../src/cli/numbers.ts';
import { exitCodeOf } from '../../src/rig/checks/exit-codes.ts';
import { playRound } from './round.ts';
import { faultsOf, linesOf } from './told.ts';

const DEATHS_A_ROUND = 2;

async function main({ deaths, seed }: { readonly deaths: number; readonly seed: number }): Promise<void> {
  const random = createSeededRandom(seed);
  const clock = createSystemClock();
  const goneAfterMs: number[] = [];
  let faults = 0;
  console.log(`seed ${seed}`);
  for (let done = 0; done < deaths; done += DEATHS_A_ROUND) {
    const round = await playRound({ clock, random, victims: Math.min(DEATHS_A_ROUND, deaths - done) });
    for (const line of linesOf(round)) console.log(line);
    faults += faultsOf(round).length;
    goneAfterMs.push(...round.deaths.flatMap(({ goneAfterMs: ms }) => (ms === undefined ? [] : [ms])));
  }
  const sorted = goneAfterMs.sort((a, b) => a - b);
  const median = ((sorted[sorted.length >> 1] ?? 0) / 1000).toFixed(1);
  console.log(
    `${deaths} deaths, ${faults} faults; gone after ${median} s in the median, ${((sorted.at(-1) ?? 0) / 1000).toFixed(1)} s at most`,
  );
  process.exitCode = exitCodeOf(faults === 0 ? 'valid' : 'invalid');
}

new Command('leaks')
  .option('--deaths <count>', 'how many rigs are killed', wholeNumber('number of deaths', 1, 1_000), 50)
  .option(
    '--seed <number>',
    'draws what they do and when they die',
    wholeNumber('seed', 0, 2 ** 32 - 1),
    createSystemRandom().uint32(),
  )
  .action(main)
  .parse();
