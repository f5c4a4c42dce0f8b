// What a rig that died has left to heal, by the record that it wrote before it
// touched anything.

import { ROLES } from '../../model/volume.ts';
import type { FaultEvent, HistoryEvent } from '../history.ts';
import { faultOf } from './catalogue.ts';
import type { Hit, Site } from './fault.ts';
import { lookFor, SHOWS_WITHIN_MS } from './look.ts';
import type { FaultSpec } from './spec.ts';
import { startAgain } from './whole.ts';

/** Injected, or about to be, and not seen to be healed; in the order of their injection. */
export function owedHits(history: readonly HistoryEvent[]): readonly Hit[] {
  const faults = new Map<string, Hit>();
  const acts = new Map<string, Hit>();
  for (const event of history) {
    if (event.type === 'fault') noteAct(acts, event);
    if (event.type !== 'nemesis') continue;
    const { id, fault: spec, members } = event;
    if (event.phase === 'inject') faults.set(id, { id, spec, members });
    if (event.phase !== 'healed') continue;
    faults.delete(id);
    for (const [name, act] of acts)
      if (act.members.some((member) => members.includes(member))) acts.delete(name);
  }
  // What a fault did by acts, its healing undoes.
  const hit = new Set([...faults.values()].flatMap(({ members }) => members));
  return [
    ...faults.values(),
    ...[...acts.values()].filter(({ members }) => !members.some((one) => hit.has(one))),
  ];
}

/** What a script does by itself, and is to undo by itself. */
function noteAct(acts: Map<string, Hit>, { fault, phase, container, role }: FaultEvent): void {
  const id = role === undefined ? container : `${container}/${role}`;
  // Roles that end are started by their supervisor alone.
  const isHalting = fault === 'pause' || (role === undefined && (fault === 'kill' || fault === 'stop'));
  if (phase === 'inject' && isHalting) {
    // A record's words are a rig's own.
    const spec = { fault, on: container, ...(role !== undefined && { role }) } as FaultSpec;
    acts.set(id, { id, spec, members: [container] });
  }
  if (phase !== 'injected') return;
  if (fault === 'start' || fault === 'resume' || fault === 'restart') acts.delete(id);
  // With a container that ends or starts anew, so do its frozen roles.
  if (role === undefined && fault !== 'pause' && fault !== 'resume')
    for (const each of ROLES) acts.delete(`${container}/${each}`);
}

export interface Reaped {
  readonly hit: Hit;
  readonly isHealed: boolean;
  /** What was seen, or what went wrong. */
  readonly seen: string;
}

/** What is done to links is known by who did it alone. */
const isOfLinks = ({ spec }: Hit): boolean => faultOf(spec).family === 'network';

/** Whether it would end with a change that somebody else makes to the same links, disk, clock or failpoints. */
const isShared = ({ spec }: Hit): boolean =>
  ['network', 'clock', 'code'].includes(faultOf(spec).family) || spec.fault.startsWith('disk-');

/**
 * Makes what others have injected known to this deployment, so that it stays while something beside it changes. A clock
 * that drifts begins anew with it.
 */
export async function takeOver(site: Site, hits: readonly Hit[]): Promise<void> {
  for (const hit of hits.filter(isShared)) {
    // What of it can't be taken over, its healing sees.
    await faultOf(hit.spec)
      .inject(site, hit)
      .catch(() => site.signal.throwIfAborted());
  }
}

/**
 * Heals those `wanted` of them (default: all), in the reverse order; one that fails leaves the others to be healed.
 * `onHeal` is told of each before anything is touched.
 */
export async function healOwed(
  site: Site,
  hits: readonly Hit[],
  options: { readonly wanted?: readonly Hit[]; readonly onHeal?: (hit: Hit) => void } = {},
): Promise<readonly Reaped[]> {
  const { wanted = hits, onHeal } = options;
  await takeOver(
    site,
    hits.filter((hit) => isOfLinks(hit) || !wanted.includes(hit)),
  );
  const reaped: Reaped[] = [];
  for (const hit of wanted.toReversed()) {
    onHeal?.(hit);
    reaped.push(await healOne(site, hit));
  }
  return reaped;
}

async function healOne(site: Site, hit: Hit): Promise<Reaped> {
  const fault = faultOf(hit.spec);
  try {
    await fault.heal(site, hit);
    // Whoever died may have left down what it was about to start.
    await startAgain(site, hit.members);
    const probe = () => fault.healed(site, hit);
    const found = await lookFor(site, probe, { withinMs: SHOWS_WITHIN_MS, isHidden: () => false });
    return { hit, isHealed: found.holds, seen: found.seen };
  } catch (error) {
    site.signal.throwIfAborted();
    return { hit, isHealed: false, seen: error instanceof Error ? error.message : String(error) };
  }
}
