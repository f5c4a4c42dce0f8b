// Failpoints of the daemon (base/failpoints.ts), switched on in nodes that run, until
// healed. A process that has crashed at one is started again by its supervisor.

import { hasCode } from '../../base/errors.ts';
import { parseFailpoints } from '../../base/failpoints.ts';
import type { Role } from '../../model/volume.ts';
import { parseLogLines } from '../log-lines.ts';
import type { Fault, Hit, Site } from './fault.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';
import { whole } from './whole.ts';

type Stumble = SpecOf<'failpoint'>;

/** How often nodes had stumbled before. */
const before = new WeakMap<Hit<Stumble>, readonly number[]>();

const REACHED = 'failpoint.reached';

/** By the daemons' own logs: how often each node has reached one of them. */
const reached = ({ deployment }: Site, { members, spec }: Hit<Stumble>): Promise<readonly number[]> => {
  const names = Object.keys(parseFailpoints(spec.failpoints));
  return Promise.all(
    members.map(async (node) => {
      // A log is long, and looked at again and again.
      const all = (await deployment.logs(node)).split('\n');
      const text = all.filter((line) => line.includes(REACHED)).join('\n');
      const lines = parseLogLines({ container: node, text, startedAtMs: 0 });
      return lines.filter(
        ({ event, fields }) => event === REACHED && names.includes(String(fields.failpoint)),
      ).length;
    }),
  );
};

/** Those that are held up for good, should they have come to a failpoint that says so. */
const pausedRoles = ({ failpoints }: Stumble): readonly Role[] => {
  const paused = Object.entries(parseFailpoints(failpoints)).filter(
    ([, { effect }]) => effect.kind === 'pause',
  );
  return [...new Set(paused.map(([name]): Role => (name.startsWith('engine/') ? 'engine' : 'agent')))];
};

const set = ({ deployment }: Site, { id, members }: Hit<Stumble>, failpoints: string | undefined) =>
  Promise.all(members.map((node) => deployment.failpoints.set(id, node, failpoints)));

export const failpoint: Fault<Stumble> = {
  family: 'code',
  describe: ({ failpoints, on }) => `${failpoints} at ${describeSelector(on)}`,
  missing: async ({ deployment }) =>
    deployment.topology.settings.failpointSwitches
      ? undefined
      : "the daemons' failpoints can't be switched: give the topology settings.failpointSwitches: true",
  members: ({ on, failpoints }, view, random) => {
    // Refused here rather than by the daemon.
    parseFailpoints(failpoints);
    return select(on, view, random);
  },
  inject: async (site, hit) => {
    before.set(hit, await reached(site, hit));
    await set(site, hit, hit.spec.failpoints);
  },
  shows: async (site, hit) => {
    const times = (await reached(site, hit)).map((count, index) => count - (before.get(hit)?.[index] ?? 0));
    const seen = hit.members.map((node, index) => `${node} has come to it ${times[index]} times`);
    return { holds: times.every((count) => count > 0), seen: seen.join(', ') };
  },
  heal: async (site, hit) => {
    await set(site, hit, undefined);
    for (const role of pausedRoles(hit.spec)) {
      for (const node of hit.members) await endRole(site, node, role);
    }
  },
  healed: (site, { members }) => whole(site, members),
};

/** Its supervisor starts it again; one that is not there is being started already. */
async function endRole(site: Site, node: string, role: Role): Promise<void> {
  try {
    await site.act('kill', node, { role });
  } catch (error) {
    if (!hasCode(error, 'conflict')) throw error;
  }
}
