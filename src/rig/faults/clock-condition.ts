// What faults of a clock have in common: it is set wrong, and shows it by the time
// that the node's API says it is.

import type { Random } from '../../base/random.ts';
import type { ClockCondition } from '../deployment.ts';
import type { Fault, Hit, Site } from './fault.ts';
import { missingAt } from './hardware.ts';
import { describeSelector, select } from './select.ts';
import type { ClockFault } from './spec.ts';

/** Between the moment the rig means and the one at which the node looked. */
const SLACK_MS = 250;

export function clockCondition<Spec extends ClockFault>(way: {
  /** `clock 5 s ahead`. */
  readonly name: (spec: Spec) => string;
  readonly condition: (spec: Spec, random: Random) => ClockCondition;
}): Fault<Spec> {
  const set = (site: Site, { id, members, spec }: Hit<Spec>, wanted: boolean) =>
    Promise.all(
      members.map((node) => {
        const condition = wanted ? way.condition(spec, site.random) : undefined;
        return site.deployment.clocks.set(id, node, condition);
      }),
    );
  /** Whether each clock is as it would be without this fault. */
  const look = async (site: Site, { id, members }: Hit<Spec>, right: boolean) => {
    const { clocks } = site.deployment;
    const seen = await Promise.all(
      members.map(async (node) => {
        const { leastMs, mostMs } = await clocks.read(node);
        const expectedMs = clocks.expectedMs(node, id);
        const isRight = leastMs - SLACK_MS <= expectedMs && expectedMs <= mostMs + SLACK_MS;
        return { node, leastMs, mostMs, isRight };
      }),
    );
    return {
      holds: seen.every(({ isRight }) => isRight === right),
      seen: seen.map(({ node, leastMs, mostMs }) => `${node} is ${leastMs} to ${mostMs} ms ahead`).join(', '),
    };
  };
  return {
    family: 'clock',
    describe: (spec) => `${way.name(spec)} at ${describeSelector(spec.on)}`,
    missing: (site, { on }) =>
      missingAt(site, on, (node, planned) => {
        if (planned?.clock !== 'own')
          return `${node} has the host's clock: give it \`clock: 'own'\` in the topology`;
        if (!planned.roles.includes('api')) return `the clock of ${node} can't be seen: it has no API`;
        return site.deployment.clocks.missing();
      }),
    members: ({ on }, view, random) => select(on, view, random),
    inject: async (site, hit) => void (await set(site, hit, true)),
    shows: (site, hit) => look(site, hit, false),
    heal: async (site, hit) => void (await set(site, hit, false)),
    healed: (site, hit) => look(site, hit, true),
  };
}
