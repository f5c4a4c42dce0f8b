// The leading engine is asked to step down (SIGTERM to its role). Its supervisor
// starts it again; another one leads by then, or it is elected anew.

import { RigError } from '../../base/errors.ts';
import { LEADER_KEY } from '../../kv/keys.ts';
import type { Fault, Hit } from './fault.ts';
import type { SpecOf } from './spec.ts';
import { whole } from './whole.ts';

type Demotion = SpecOf<'engine-demotion'>;

/** Terms, by the revision of the election. */
const before = new WeakMap<Hit<Demotion>, number | undefined>();

export const engineDemotion: Fault<Demotion> = {
  family: 'cluster',
  describe: () => 'the leading engine is asked to step down',
  members: (_, { leader }) => {
    if (leader === undefined) throw new RigError('not_found', 'nobody leads now');
    return [leader];
  },
  inject: async (site, hit) => {
    const [leader] = hit.members as readonly [string];
    before.set(hit, (await site.deployment.store.read(LEADER_KEY))?.createRevision);
    await site.act('stop', leader, { role: 'engine' });
  },
  shows: async ({ deployment }, hit) => {
    const found = await deployment.store.read(LEADER_KEY);
    const holds = found !== undefined && found.createRevision !== before.get(hit);
    return { holds, seen: found === undefined ? 'nobody leads' : `elected at ${found.createRevision}` };
  },
  heal: async () => undefined,
  healed: (site, { members }) => whole(site, members),
};
