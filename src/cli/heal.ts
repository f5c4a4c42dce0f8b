// `rig heal`: undoes faults; all of them, and whatever is down or frozen, when none is named.

import type { Command } from 'commander';
import { mapConcurrently } from '../base/concurrent.ts';
import { RigError } from '../base/errors.ts';
import { LIST_PROCESSES, rolesIn } from '../rig/by-hand/roles.ts';
import { describeTarget, type Target } from '../rig/by-hand/targets.ts';
import { EXIT_MACHINE } from '../rig/checks/exit-codes.ts';
import type { Act, Deployment } from '../rig/deployment.ts';
import type { Hit } from '../rig/faults/fault.ts';
import { etcdMembers, presentNodes } from '../rig/topology.ts';
import { byHand, type Hand } from './by-hand.ts';
import { type ClusterFlags, chooseCluster, withClusterOptions } from './clusters.ts';
import { healedJson, healFaults, tellHealed } from './healing.ts';
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
      const { up, faults } = await byHand(cluster, needs, async (hand) => {
        const wanted = ids.length === 0 ? hand.record.owed : ids.map((id) => owedAs(hand, id));
        return { up: ids.length === 0 ? await bringUp(hand) : [], faults: await healFaults(hand, wanted) };
      });
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

function owedAs({ record }: Hand, id: string): Hit {
  const found = record.owed.find((hit) => hit.id === id);
  if (found !== undefined) return found;
  const ids = record.owed.map((hit) => hit.id).join(', ');
  throw new RigError('not_found', `there is no fault '${id}' to heal`, {
    next: ids === '' ? 'Nothing is to be healed.' : `Choose from: ${ids}.`,
  });
}

interface Brought {
  readonly act: Act;
  readonly target: Target;
}

/** Whatever is down or frozen by now, whoever did it. */
async function bringUp({ site, deployment }: Hand): Promise<readonly Brought[]> {
  const { topology } = deployment;
  const nodes = presentNodes(topology).map(({ name }) => name);
  const members = [...etcdMembers(topology), ...nodes, ...topology.consumers];
  const states = await Promise.all(members.map((member) => deployment.state(member)));
  const whole = members.flatMap((member, index): readonly Brought[] => {
    const state = states[index];
    if (state === 'paused') return [{ act: 'resume', target: { member } }];
    return state === 'exited' || state === 'created' ? [{ act: 'start', target: { member } }] : [];
  });
  const roles = await Promise.all(
    nodes
      .filter((_, index) => states[members.indexOf(nodes[index] ?? '')] === 'running')
      .map((node) => frozenRoles(deployment, node)),
  );
  const all = [...whole, ...roles.flat()];
  await mapConcurrently(all, {
    concurrency: Math.max(1, all.length),
    each: ({ act, target: { member, role } }) => site.act(act, member, role === undefined ? {} : { role }),
  });
  return all;
}

async function frozenRoles(deployment: Deployment, member: string): Promise<readonly Brought[]> {
  const roles = rolesIn(await deployment.exec(member, LIST_PROCESSES));
  return [...roles].flatMap(([role, state]) =>
    state === 'frozen' ? [{ act: 'resume' as const, target: { member, role } }] : [],
  );
}
