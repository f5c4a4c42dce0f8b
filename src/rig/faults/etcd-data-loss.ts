// The data folder of a minority of etcd's members is lost. Healed as an operator
// does it: each leaves the membership and joins anew.

import { RigError } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import type { Fault, Hit, Site } from './fault.ts';
import { endIfRunning } from './restarting.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

type DataLoss = SpecOf<'etcd-data-loss'>;

/** An election, and a small store that is sent. */
const JOINS_WITHIN_MS = 30_000;

const before = new WeakMap<Hit<DataLoss>, ReadonlyMap<string, string>>();

export const etcdDataLoss: Fault<DataLoss> = {
  family: 'etcd',
  describe: ({ on }) => `the data of ${describeSelector(on)} is lost`,
  missing: async ({ deployment }) =>
    deployment.topology.etcd.members > 1 ? undefined : 'etcd has a single member: give it etcd.members: 3',
  members: ({ on }, view, random) => {
    const chosen = select(on, view, random);
    const others = chosen.filter((name) => !view.etcd.includes(name));
    if (others.length > 0) throw new RigError('invalid', `${others.join(', ')} is no member of etcd`);
    if (2 * chosen.length < view.etcd.length) return chosen;
    throw new RigError(
      'invalid',
      `${chosen.join(', ')} are no minority: with them all that etcd has is lost`,
    );
  },
  inject: async (site, hit) => {
    before.set(hit, await site.deployment.store.members());
    for (const member of hit.members) {
      await endIfRunning(site, 'kill', member);
      await site.deployment.store.lose(member);
    }
  },
  shows: async ({ deployment }, { members }) => {
    const states = await Promise.all(members.map((member) => deployment.state(member)));
    return {
      holds: states.every((state) => state === 'created'),
      seen: members.map((member, index) => `${member} is ${states[index]}, with an empty disk`).join(', '),
    };
  },
  heal: async (site, { members }) => {
    for (const member of members) {
      const state = await site.deployment.state(member);
      if (state === 'running') continue;
      // A rig that died has taken it away and not made it anew.
      if (state === 'absent') await site.deployment.store.lose(member);
      // One that has run since, or that was not yet taken away, has its data.
      if (state === 'created' || state === 'absent') await readmit(site, member);
      await site.act('start', member);
      await joined(site, member);
    }
  },
  healed: async ({ deployment }, hit) => {
    const now = await deployment.store.members();
    const ailments = await Promise.all(hit.members.map((member) => deployment.store.ailment(member)));
    const ill = hit.members.filter(
      (member, index) => ailments[index] !== undefined || now.get(member) === before.get(hit)?.get(member),
    );
    return {
      holds: ill.length === 0,
      seen: ill.length === 0 ? 'all have joined under new ids, and answer' : `not back: ${ill.join(', ')}`,
    };
  },
};

/** etcd refuses a change of its membership for some seconds after one of its members went. */
async function readmit({ clock, deployment, signal }: Site, member: string): Promise<void> {
  await waitFor({
    clock,
    signal,
    what: `etcd to take ${member} back`,
    timeoutMs: JOINS_WITHIN_MS,
    probe: async () => {
      await deployment.store.readmit(member);
      return true;
    },
  });
}

/** No other may be readmitted before: each that has yet to join counts as one that is down. */
async function joined({ clock, deployment, signal }: Site, member: string): Promise<void> {
  await waitFor({
    clock,
    signal,
    what: `${member} to have joined`,
    timeoutMs: JOINS_WITHIN_MS,
    probe: async () => ((await deployment.store.ailment(member)) === undefined ? true : undefined),
  });
}
