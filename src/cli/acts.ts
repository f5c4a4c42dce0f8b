// `rig kill`, `stop`, `start`, `restart`, `pause`, `resume`: what is done by hand to members
// of a cluster, or to one role of a node.

import type { Command } from 'commander';
import { describeTarget } from '../rig/by-hand/targets.ts';
import { TARGETS } from '../rig/faults/target.ts';
import { act, WAYS, type Way } from './acting.ts';
import { byHand } from './by-hand.ts';
import { type ClusterFlags, chooseCluster, withClusterOptions } from './clusters.ts';
import { help, printJson } from './output.ts';

interface ActFlags extends ClusterFlags {
  readonly json?: boolean;
}

const registerAct =
  (name: keyof typeof WAYS) =>
  (program: Command): void => {
    const way: Way = WAYS[name];
    withClusterOptions(program.command(name).argument('<target...>', TARGETS))
      .option('--json', 'print what was done as JSON')
      .addHelpText('after', help(way.examples, '[{"member", "role"?, "did"}]'))
      .action(async (targets: readonly string[], flags: ActFlags) => {
        const cluster = await chooseCluster(flags);
        const done = await byHand(cluster, {}, (hand) => act(hand, way, targets));
        if (flags.json === true) return printJson(done.map((target) => ({ ...target, did: name })));
        process.stdout.write(done.map((target) => `${way.done} ${describeTarget(target)}\n`).join(''));
      });
  };

export const registerKill = registerAct('kill');
export const registerStop = registerAct('stop');
export const registerStart = registerAct('start');
export const registerRestart = registerAct('restart');
export const registerPause = registerAct('pause');
export const registerResume = registerAct('resume');
