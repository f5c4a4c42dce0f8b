// `rig reap`: removes what rigs that are no more have left; with a folder it heals the faults that
// one of them has left in a cluster that is still there.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { readSettings } from '../cluster/settings.ts';
import { endRun } from '../process/leftovers.ts';
import { readClusterFile } from '../rig/by-hand/cluster-file.ts';
import { openHandRecord } from '../rig/by-hand/record.ts';
import { EXIT_MACHINE } from '../rig/checks/exit-codes.ts';
import { listClusters } from '../rig/docker/clusters.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import type { Reaped } from '../rig/faults/owed.ts';
import { byHand } from './by-hand.ts';
import { labelOf } from './clusters.ts';
import { healedJson, healFaults, tellHealed } from './healing.ts';
import { help, printJson } from './output.ts';
import { reapOrphans, tellReaped } from './reap-orphans.ts';

interface ReapFlags {
  readonly json?: boolean;
  readonly dryRun?: boolean;
}

export function registerReap(program: Command): void {
  program
    .command('reap')
    .argument(
      '[folder]',
      'heal what is broken in the cluster of this run: runs/<time>-<scenario>-<seed>, or runs/up-<name>; without it: remove what belongs to no rig any more',
    )
    .option('--dry-run', 'without a folder: only tell what would be removed')
    .option('--json', 'print what was done as JSON')
    .addHelpText(
      'after',
      help(
        ['rig reap --dry-run', 'rig reap runs/20260101-120000-faults-network-7', 'rig reap runs/up-default'],
        '[{"cluster", "removed", "left"?}], or of a folder [{"id", "fault", "healed", "seen"}]',
      ),
    )
    .action((folder: string | undefined, flags: ReapFlags) =>
      folder === undefined ? reapAll(flags) : healIn(folder, flags),
    );
}

async function reapAll({ json, dryRun: isDry = false }: ReapFlags): Promise<void> {
  const reaped = await reapOrphans({ isDry });
  if (json === true) printJson(reaped);
  else tellReaped(reaped, { isDry });
}

async function healIn(folder: string, { json, dryRun }: ReapFlags): Promise<void> {
  if (dryRun === true) {
    throw new RigError('invalid', '--dry-run tells what would be removed, and with a folder nothing is', {
      next: 'Leave out one of them.',
    });
  }
  const found = await healingIn(folder);
  if (json === true) printJson(typeof found === 'string' ? [] : healedJson(found));
  else if (typeof found === 'string') process.stdout.write(`nothing to do: ${found}\n`);
  else tellHealed(found);
  if (typeof found !== 'string' && found.some(({ isHealed }) => !isHealed)) process.exitCode = EXIT_MACHINE;
}

/** What came of it, or why there is nothing to do. */
async function healingIn(folder: string): Promise<readonly Reaped[] | string> {
  const { runId, mode } = await readClusterFile(folder);
  // Whatever such a run has broken was its own, and went with it.
  if (mode === 'process' && (await endRun(createSystemClock(), runId)))
    return `what was left of run ${runId} was ended`;
  if (mode !== undefined) return `a ${mode} cluster ends with its rig`;
  const { owed } = await openHandRecord(folder, createSystemClock());
  if (owed.length === 0) return 'every fault was healed';
  const docker = await connectEngine(readSettings().engine);
  const found = (await listClusters(docker)).find((cluster) => cluster.runId === runId);
  if (found === undefined) return `the cluster of run ${runId} is gone`;
  const cluster = { ...found, folder, docker, label: labelOf(runId) };
  const needs = { makesMembers: true, alsoUnfinished: true };
  return byHand(cluster, needs, (hand) => healFaults(hand, hand.record.owed));
}
