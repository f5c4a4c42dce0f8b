// What faults of a disk as a whole have in common: it is put in a condition, and
// shows it by what a durable write to it comes to.

import type { DiskCondition, DiskWrite } from '../deployment.ts';
import type { Fault, Hit, Site } from './fault.ts';
import { missingAt } from './hardware.ts';
import { describeSelector, type Selector, select } from './select.ts';
import type { FaultSpec } from './spec.ts';

type DiskSpec = Extract<FaultSpec, { readonly fault: `disk-${string}` }>;

const PROBE_BYTES = 256 * 1024;
/** What no plain disk can be put in. */
const NEED_BREAKABLE: readonly DiskCondition['is'][] = ['failing', 'slow'];

interface Way<Spec> {
  /** `full disk`. */
  readonly name: (spec: Spec) => string;
  readonly condition: (spec: Spec) => DiskCondition;
  /** Whether a write that came to this shows it. */
  readonly shows: (write: DiskWrite, spec: Spec) => boolean;
  /** Whether a write shows that nothing of it is left. Default: it is durable. */
  readonly gone?: (write: DiskWrite, spec: Spec) => boolean;
  readonly probeBytes?: (spec: Spec) => number;
  /** What else there is to do after the condition has ended. */
  readonly heal?: (site: Site, node: string) => Promise<void>;
}

export function diskCondition<Spec extends DiskSpec>(way: Way<Spec>): Fault<Spec> {
  const { name, condition, shows, gone = ({ outcome }) => outcome === 'written' } = way;
  const set = (site: Site, { id, members }: Hit<Spec>, wanted: DiskCondition | undefined) =>
    Promise.all(members.map((node) => site.deployment.disks.set(id, node, wanted)));
  const look = async (site: Site, { members, spec }: Hit<Spec>, holds: typeof shows) => {
    const bytes = way.probeBytes?.(spec) ?? PROBE_BYTES;
    const writes = await Promise.all(members.map((node) => site.deployment.disks.write(node, bytes)));
    return {
      holds: writes.every((write) => holds(write, spec)),
      seen: writes
        .map(
          ({ outcome, tookMs }, index) =>
            `${members[index]}: a write of ${bytes} bytes is ${outcome} after ${tookMs} ms`,
        )
        .join(', '),
    };
  };
  const onOf = ({ on }: { readonly on: Selector }): Selector => on;
  return {
    family: 'disk',
    describe: (spec) => `${name(spec)} at ${describeSelector(onOf(spec))}`,
    missing: (site, spec) =>
      missingAt(site, onOf(spec), (node, planned) => {
        if (!NEED_BREAKABLE.includes(condition(spec).is)) return undefined;
        if (planned?.disk !== 'breakable')
          return `the disk of ${node} is a plain one: give it \`disk: 'breakable'\` in the topology`;
        return site.deployment.disks.missing(node);
      }),
    members: (spec, view, random) => select(onOf(spec), view, random),
    inject: async (site, hit) => void (await set(site, hit, condition(hit.spec))),
    shows: async (site, hit) => {
      const seen = await look(site, hit, shows);
      // What holds a file open may have been in the way.
      if (!seen.holds) await set(site, hit, condition(hit.spec));
      return seen;
    },
    heal: async (site, hit) => {
      await set(site, hit, undefined);
      const { heal } = way;
      if (heal !== undefined) await Promise.all(hit.members.map((node) => heal(site, node)));
    },
    healed: async (site, hit) => {
      const { disks } = site.deployment;
      // Whatever else is the matter with a disk hides whether this is.
      const hidden = hit.members.some((node) => disks.inForce(node).length > 0);
      return { ...(await look(site, hit, gone)), ...(hidden && { hidden }) };
    },
  };
}
