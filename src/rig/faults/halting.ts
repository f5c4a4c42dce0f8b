// What kill, stop and pause have in common: one act of the deployment begins them,
// another ends them, and each waits until it shows.

import { mapConcurrently } from '../../base/concurrent.ts';
import { hasCode } from '../../base/errors.ts';
import type { Role } from '../../model/volume.ts';
import type { Act, ContainerState } from '../deployment.ts';
import type { Observation } from '../observation.ts';
import { CONTAINER_ACTS } from './acts.ts';
import type { Fault, Hit, Site } from './fault.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

type Halting = SpecOf<'kill'> | SpecOf<'stop'> | SpecOf<'pause'>;

export function halting<Spec extends Halting>(acts: {
  readonly begins: Act;
  readonly ends: Act;
  readonly missing?: Fault<Spec>['missing'];
}): Fault<Spec> {
  /** Where the role's process ended before it could be healed. */
  const noMore = new WeakMap<Hit<Spec>, readonly string[]>();
  const roleOf = ({ role }: Spec) => (role === undefined ? {} : { role });
  const state = async (site: Site, { members }: Hit<Spec>): Promise<readonly ContainerState[]> =>
    Promise.all(members.map((member) => site.deployment.state(member)));
  const looks = (act: Act) => async (site: Site, hit: Hit<Spec>) => {
    const { role } = hit.spec;
    if (role !== undefined && act === 'start') return startedAnew(site, hit.members, role);
    // A role's act has looked at its process itself, and a supervisor may have started the next by now.
    if (role !== undefined) {
      const gone = act === acts.ends ? (noMore.get(hit) ?? []) : [];
      if (gone.length === 0) return { holds: true, seen: `${act} of the ${role} was seen` };
      return { holds: true, seen: `the process that was hit is no more at ${gone.join(', ')}` };
    }
    const states = await state(site, hit);
    const holds = states.every((one) => CONTAINER_ACTS[act].shows.includes(one));
    return { holds, seen: hit.members.map((member, index) => `${member} ${states[index]}`).join(', ') };
  };
  return {
    family: 'process',
    describe: ({ fault, on, role }) =>
      `${fault} ${role === undefined ? '' : `the ${role} of `}${describeSelector(on)}`,
    ...(acts.missing !== undefined && { missing: acts.missing }),
    members: ({ on }, view, random) => select(on, view, random),
    inject: async (site, { members, spec }) => {
      const each = (member: string) => site.act(acts.begins, member, roleOf(spec));
      await mapConcurrently(members, { concurrency: members.length, each });
    },
    shows: looks(acts.begins),
    heal: async (site, hit) => {
      // Its supervisor alone starts a role that ended.
      if (hit.spec.role !== undefined && acts.ends === 'start') return;
      const states = await state(site, hit);
      const rule = CONTAINER_ACTS[acts.ends];
      const ill = hit.members.filter((_, index) => {
        const seen = states[index] ?? 'absent';
        if (hit.spec.role === undefined) return !rule.refusedIn.includes(seen);
        return seen === 'running' || seen === 'paused';
      });
      const gone = hit.members.filter((member) => !ill.includes(member));
      await Promise.all(
        ill.map(async (member) => {
          try {
            await site.act(acts.ends, member, roleOf(hit.spec));
          } catch (error) {
            if (hit.spec.role === undefined || !hasCode(error, 'conflict')) throw error;
            gone.push(member);
          }
        }),
      );
      if (hit.spec.role !== undefined) noMore.set(hit, gone);
    },
    healed: looks(acts.ends),
  };
}

/** By its supervisor, unless that was told to leave it. */
async function startedAnew(
  { deployment }: Site,
  members: readonly string[],
  role: Role,
): Promise<Observation> {
  const down = await Promise.all(
    members.map(async (member) => {
      const node = deployment.topology.nodes.find(({ name }) => name === member);
      if (node?.restart[role] !== 'always') return [];
      return (await deployment.hasRole(member, role)) ? [] : [member];
    }),
  );
  const names = down.flat();
  const seen = names.length === 0 ? `each ${role} that is to run does` : `no ${role} at ${names.join(', ')}`;
  return { holds: names.length === 0, seen };
}
