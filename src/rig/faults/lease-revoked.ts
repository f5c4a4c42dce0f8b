// The lease of an agent, or of the leading engine, is revoked under it: whatever it
// holds is gone, and it is to notice.

import { RigError } from '../../base/errors.ts';
import { LEADER_KEY, nodeKey } from '../../kv/keys.ts';
import type { Fault, Hit, Site } from './fault.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';
import { whole } from './whole.ts';

type Revoked = SpecOf<'lease-revoked'>;

const revoked = new WeakMap<Hit<Revoked>, readonly string[]>();

const keyOf = ({ role }: Revoked, node: string): string => (role === 'engine' ? LEADER_KEY : nodeKey(node));

async function leases({ deployment }: Site, { spec, members }: Hit<Revoked>): Promise<readonly string[]> {
  const keys = await Promise.all(members.map((node) => deployment.store.read(keyOf(spec, node))));
  return keys.flatMap((key) => key?.lease ?? []);
}

export const leaseRevoked: Fault<Revoked> = {
  family: 'etcd',
  describe: ({ on, role }) => `the lease of the ${role} of ${describeSelector(on)} is revoked`,
  members: ({ on, role }, view, random) => {
    const chosen = select(on, view, random);
    const holders = role === 'agent' ? chosen : chosen.filter((node) => node === view.leader);
    if (holders.length > 0) return holders;
    throw new RigError('not_found', `no engine of ${chosen.join(', ')} leads now, so that none has a lease`);
  },
  inject: async (site, hit) => {
    const found = await leases(site, hit);
    revoked.set(hit, found);
    for (const lease of found) await site.deployment.store.revoke(lease);
  },
  shows: async (site, hit) => {
    const taken = revoked.get(hit) ?? [];
    if (taken.length < hit.members.length) return { holds: false, seen: 'there was no lease to revoke' };
    const lives = await Promise.all(taken.map((lease) => site.deployment.store.lives(lease)));
    const gone = taken.filter((_, index) => lives[index] === false);
    return { holds: gone.length === taken.length, seen: `gone: ${gone.join(', ') || 'none'}` };
  },
  heal: async () => undefined,
  healed: (site, { members }) => whole(site, members),
};
