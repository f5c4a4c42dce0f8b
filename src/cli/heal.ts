// `rig heal`: undoes faults; all of them, and whatever is down or frozen, when none is named.

import type { Command } from 'commander';
import { describeTarget } from '../rig/by-hand/targets.ts';
import { EXIT_MACHINE } from '../rig/checks/exit-codes.ts';
import type { Act } from '../rig/deployment.ts';
import { byHand } from './by-hand.ts';
import { type ClusterFlags, chooseCluster, withClusterOptions } from './clusters.ts';
import { heal, healedJson, tellHealed } from './healing.ts';
import { help, printJson } from './output.ts';

interface HealFlags extends ClusterFlags {
  readonly json?: boolean;
}

export function registerHeal(program: Command): void {
  withClusterOptions(program.command('heal'))
    .argument('[id...]', 'names of faults (rig ps tells them); all, and whatever is down, when left out')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      help(
        ['rig heal', 'rig heal latency partition-2', 'rig heal --run 1a2b3c4d'],
        '{"started": [member], "resumed": [member or "role of member"], "faults": [{"id", "fault", "healed", "seen"}]}',
      ),
    )
    .action(async (ids: readonly string[], flags: HealFlags) => {
      const cluster = await chooseCluster(flags);
      const needs = { makesMembers: true, alsoUnfinished: true };
      const { up, faults } = await byHand(cluster, needs, (hand) => heal(hand, ids));
      const didTo = (wanted: Act): readonly string[] =>
        up.filter(({ act }) => act === wanted).map(({ target }) => describeTarget(target));
      const [started, resumed] = [didTo('start'), didTo('resume')];
      if (flags.json === true) {
        printJson({ started, resumed, faults: healedJson(faults) });
      } else {
        for (const name of started) process.stdout.write(`started ${name}\n`);
        for (const name of resumed) process.stdout.write(`thawed ${name}\n`);
        tellHealed(faults);
        if (up.length + faults.length === 0) process.stdout.write('nothing to heal\n');
      }
      if (faults.some(({ isHealed }) => !isHealed)) process.exitCode = EXIT_MACHINE;
    });
}
