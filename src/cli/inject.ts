// A fault injected by hand: on record before anything is touched, and seen to bite.

import { RigError } from '../base/errors.ts';
import { freeId } from '../rig/by-hand/record.ts';
import { describeFault } from '../rig/faults/catalogue.ts';
import { createNemesis } from '../rig/faults/nemesis.ts';
import { takeOver } from '../rig/faults/owed.ts';
import type { FaultSpec } from '../rig/faults/spec.ts';
import type { Hand } from './by-hand.ts';

export interface Injected {
  /** By which it is healed. */
  readonly id: string;
  /** As a sentence. */
  readonly fault: string;
  readonly members: readonly string[];
  /** Whether it was seen to bite. */
  readonly shows: boolean;
  readonly seen: string;
}

/**
 * Answers what was seen, and how to heal it in this process, which what it goes on doing needs. Throws `unsupported` where
 * it can't be had, and `invalid` for a name that was used already.
 */
export async function inject(
  { site, record }: Hand,
  { spec, as }: { readonly spec: FaultSpec; readonly as: string | undefined },
): Promise<{ readonly injected: Injected; readonly heal: () => Promise<void> }> {
  if (as !== undefined && record.used.has(as)) {
    throw new RigError('invalid', `there was a fault '${as}' already`, { next: 'Give it another name.' });
  }
  const id = as ?? freeId(spec.fault, record.used);
  const fault = describeFault(spec);
  let members: readonly string[] = [];
  let shows = false;
  let seen = '';
  const nemesis = createNemesis(site, (event) => {
    if (event.type === 'expectation') {
      seen = event.seen;
      return;
    }
    if (event.phase === 'unavailable') {
      throw new RigError('unsupported', `${fault} can't be had here: ${event.evidence}`);
    }
    record.write(event);
    members = event.members;
    shows = event.phase === 'shown';
    seen = event.evidence ?? seen;
  });
  await takeOver(site, record.owed);
  await nemesis.inject(id, spec);
  return { injected: { id, fault, members, shows, seen }, heal: () => nemesis.heal(id) };
}
