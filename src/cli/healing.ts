// Healing what was injected by hand, or left by a rig that died, on record as it goes.

import { mapConcurrently } from '../base/concurrent.ts';
import { RigError } from '../base/errors.ts';
import { LIST_PROCESSES, rolesIn } from '../rig/by-hand/roles.ts';
import type { Target } from '../rig/by-hand/targets.ts';
import type { Act, Deployment } from '../rig/deployment.ts';
import { describeFault } from '../rig/faults/catalogue.ts';
import type { Hit } from '../rig/faults/fault.ts';
import { healOwed, type Reaped } from '../rig/faults/owed.ts';
import { etcdMembers, presentNodes } from '../rig/topology.ts';
import type { Hand } from './by-hand.ts';
import { fitted } from './fitted.ts';

/** `wanted` of those that are owed. */
export async function healFaults({ site, record }: Hand, wanted: readonly Hit[]): Promise<readonly Reaped[]> {
  const note = (phase: 'heal' | 'healed', { id, spec: fault, members }: Hit, evidence?: string): void =>
    record.write({ type: 'nemesis', phase, id, fault, members, ...(evidence !== undefined && { evidence }) });
  const reaped = await healOwed(site, record.owed, { wanted, onHeal: (hit) => note('heal', hit) });
  for (const { hit, isHealed, seen } of reaped) if (isHealed) note('healed', hit, seen);
  return reaped;
}

/** What `ids` name of what is owed; all, and whatever is down or frozen, when none is named. Throws `not_found`. */
export async function heal(
  hand: Hand,
  ids: readonly string[],
): Promise<{ readonly up: readonly Brought[]; readonly faults: readonly Reaped[] }> {
  const wanted = ids.length === 0 ? hand.record.owed : ids.map((id) => owedAs(hand, id));
  return { up: ids.length === 0 ? await bringUp(hand) : [], faults: await healFaults(hand, wanted) };
}

/** `[{"id", "fault", "healed", "seen"}]`. */
export const healedJson = (reaped: readonly Reaped[]) =>
  reaped.map(({ hit, isHealed, seen }) => ({
    id: hit.id,
    fault: describeFault(hit.spec),
    healed: isHealed,
    seen,
  }));

/** A line each. */
export function tellHealed(reaped: readonly Reaped[]): void {
  for (const { hit, isHealed, seen } of reaped) {
    const what = `${describeFault(hit.spec)} (${hit.id})`;
    process.stdout.write(`${fitted(`${isHealed ? 'healed' : 'NOT healed'}: ${what}: ${seen}`, '  ')}\n`);
  }
}

function owedAs({ record }: Hand, id: string): Hit {
  const found = record.owed.find((hit) => hit.id === id);
  if (found !== undefined) return found;
  const ids = record.owed.map((hit) => hit.id).join(', ');
  throw new RigError('not_found', `there is no fault '${id}' to heal`, {
    next: ids === '' ? 'Nothing is to be healed.' : `Choose from: ${ids}.`,
  });
}

export interface Brought {
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
