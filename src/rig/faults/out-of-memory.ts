// The kernel kills the largest process of a member for want of memory, again and
// again until healed. A member that ended of it is started again then.

import type { Fault, Hit, Site } from './fault.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';
import { startAgain, whole } from './whole.ts';

type OutOfMemory = SpecOf<'out-of-memory'>;

const before = new WeakMap<Hit<OutOfMemory>, readonly number[]>();

const kills = ({ deployment }: Site, { members }: Hit<OutOfMemory>): Promise<readonly number[]> =>
  Promise.all(members.map((member) => deployment.memory.kills(member)));

export const outOfMemory: Fault<OutOfMemory> = {
  family: 'process',
  describe: ({ on }) => `${describeSelector(on)} out of memory`,
  missing: ({ deployment }) => deployment.memory.missing(),
  members: ({ on }, view, random) => select(on, view, random),
  inject: async (site, hit) => {
    before.set(hit, await kills(site, hit));
    await Promise.all(hit.members.map((member) => site.deployment.memory.exhaust(member)));
  },
  shows: async (site, hit) => {
    const now = await kills(site, hit);
    const states = await Promise.all(hit.members.map((member) => site.deployment.state(member)));
    // Whoever has ended counts anew.
    const killed = now.map((count, index) =>
      states[index] === 'exited' ? count : count - (before.get(hit)?.[index] ?? 0),
    );
    const seen = hit.members.map((member, index) => `${member}: ${killed[index]} killed, ${states[index]}`);
    return { holds: killed.every((count) => count > 0), seen: seen.join('; ') };
  },
  heal: async (site, { members }) => {
    await Promise.all(members.map((member) => site.deployment.memory.lift(member)));
    await startAgain(site, members);
  },
  healed: (site, { members }) => whole(site, members),
};
