// What faults have in common that end members and start them: each is another
// incarnation afterwards. They don't last; healing them starts what was left down.

import type { Fault, Hit, Site } from './fault.ts';
import { backAgain, startAgain, whole } from './whole.ts';

type Parts<Spec> = Pick<Fault<Spec>, 'describe' | 'family' | 'members' | 'missing'> & {
  /** All at the same time, or each only when the one before it is back. */
  readonly order: 'at-once' | 'one-by-one';
  /** Ends it; it is started then. */
  end(site: Site, member: string, spec: Spec): Promise<void>;
};

export function restarting<Spec>(parts: Parts<Spec>): Fault<Spec> {
  const before = new WeakMap<Hit<Spec>, readonly string[]>();
  const incarnations = ({ deployment }: Site, { members }: Hit<Spec>): Promise<readonly string[]> =>
    Promise.all(members.map((member) => deployment.incarnation(member)));
  const turn = async (site: Site, member: string, spec: Spec): Promise<void> => {
    await parts.end(site, member, spec);
    await startAgain(site, [member]);
  };
  return {
    family: parts.family,
    describe: parts.describe,
    ...(parts.missing !== undefined && { missing: parts.missing }),
    members: parts.members,
    inject: async (site, hit) => {
      before.set(hit, await incarnations(site, hit));
      if (parts.order === 'at-once') {
        await Promise.all(hit.members.map((member) => turn(site, member, hit.spec)));
        return;
      }
      for (const member of hit.members) {
        await turn(site, member, hit.spec);
        await backAgain(site, member);
      }
    },
    shows: async (site, hit) => {
      const now = await incarnations(site, hit);
      const same = hit.members.filter((_, index) => now[index] === before.get(hit)?.[index]);
      const seen = same.length === 0 ? 'all were started anew' : `not started anew: ${same.join(', ')}`;
      return { holds: same.length === 0, seen };
    },
    heal: (site, { members }) => startAgain(site, members),
    healed: (site, { members }) => whole(site, members),
  };
}

/** Does nothing to one that is down already. */
export async function endIfRunning(site: Site, how: 'kill' | 'stop', member: string): Promise<void> {
  if ((await site.deployment.state(member)) === 'running') await site.act(how, member);
}
