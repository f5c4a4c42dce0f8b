// Healing what was injected by hand, or left by a rig that died, on record as it goes.

import { describeFault } from '../rig/faults/catalogue.ts';
import type { Hit } from '../rig/faults/fault.ts';
import { healOwed, type Reaped } from '../rig/faults/owed.ts';
import type { Hand } from './by-hand.ts';
import { fitted } from './fitted.ts';

/** `wanted` of those that are owed. */
export async function healFaults({ site, record }: Hand, wanted: readonly Hit[]): Promise<readonly Reaped[]> {
  const note = (phase: 'heal' | 'healed', { id, spec: fault, members }: Hit, evidence?: string): void =>
    record.write({ type: 'nemesis', phase, id, fault, members, ...(evidence !== undefined && { evidence }) });
  const reaped = await healOwed(site, record.owed, { wanted, onHeal: (hit) => note('heal', hit) });
  for (const { hit, isHealed, seen } of reaped) if (isHealed) note('healed', hit, seen);
  return reaped;
}

/** `[{"id", "fault", "healed", "seen"}]`. */
export const healedJson = (reaped: readonly Reaped[]) =>
  reaped.map(({ hit, isHealed, seen }) => ({
    id: hit.id,
    fault: describeFault(hit.spec),
    healed: isHealed,
    seen,
  }));

/** A line each. */
export function tellHealed(reaped: readonly Reaped[]): void {
  for (const { hit, isHealed, seen } of reaped) {
    const what = `${describeFault(hit.spec)} (${hit.id})`;
    process.stdout.write(`${fitted(`${isHealed ? 'healed' : 'NOT healed'}: ${what}: ${seen}`, '  ')}\n`);
  }
}
