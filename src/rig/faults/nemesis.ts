// Carries faults through their life: chosen, injected, seen to bite, healed, seen
// to be gone. Each phase is on record before and after anything is touched, so that
// a rig that dies in between leaves word of what there is to heal.

import { answerUnless } from '../../base/abortable.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { ExpectationEvent, NemesisEvent } from '../history.ts';
import { faultOf } from './catalogue.ts';
import type { Hit, Site } from './fault.ts';
import { checkHealth, type Health } from './health.ts';
import { type Look, lookFor, SHOWS_WITHIN_MS } from './look.ts';
import type { FaultSpec } from './spec.ts';

export interface Nemesis {
  /**
   * Resolves once it shows, or is on record as `unavailable`. One that never shows is an
   * expectation that could not be observed: the verdict is unknown. So it is with one that finds
   * its target down already. Throws `machine` when it can't be injected. `after`: none of these that has begun may be there any more.
   */
  inject(id: string, spec: FaultSpec, options?: { readonly after?: readonly string[] }): Promise<void>;
  /** Resolves once nothing of it is left to see. Nothing happens for one that isn't active. */
  heal(id: string): Promise<void>;
  /** In the reverse order of their injection. */
  healAll(): Promise<void>;
  /** Those that bite now. */
  active(): readonly Hit[];
}

type Recorded = Omit<NemesisEvent, 'atMs'> | Omit<ExpectationEvent, 'atMs'>;

type Sign = 'shows' | 'healed';

/**
 * `health`, if given, is looked at before the first fault bites and after the last is healed. What
 * can't be seen while other faults bite is looked for again when one of them is healed.
 */
export function createNemesis(site: Site, write: (event: Recorded) => void, health?: Health): Nemesis {
  const hits = new Map<string, Hit>();
  /** Of each that ever began: over when nothing of it is left, or nothing will come of it. */
  const lives = new Map<string, PromiseWithResolvers<void>>();
  /** What has not been seen yet, other faults being in the way. */
  const owed = new Map<string, { readonly hit: Hit; readonly sign: Sign }>();
  /** What was seen, or is past being seen: a look at it that still goes on is of no more interest. */
  const settled = new Set<string>();
  /** Those that are about to bite: the cluster need not be well any more. */
  const coming = new Set<string>();

  const record = (phase: NemesisEvent['phase'], hit: Hit, evidence?: string): void => {
    const { id, spec, members } = hit;
    const event = { type: 'nemesis', phase, id, fault: spec, members } as const;
    write(evidence === undefined ? event : { ...event, evidence });
  };

  const unseen = ({ spec }: Hit, sign: Sign, seen: string): void => {
    const what = `${faultOf(spec).describe(spec)} ${sign === 'shows' ? 'shows' : 'is gone'}`;
    write({ type: 'expectation', what, outcome: 'unseen', boundMs: SHOWS_WITHIN_MS, seen });
  };

  const isCalm = (): boolean => hits.size === 0 && coming.size === 0;

  const hasOthers = ({ id }: Hit): boolean => [...hits.keys()].some((other) => other !== id);

  const settle = ({ id }: Hit, sign: Sign): void => {
    settled.add(`${id} ${sign}`);
    if (owed.get(id)?.sign === sign) owed.delete(id);
  };

  const look = async (hit: Hit, sign: Sign, withinMs: number): Promise<void> => {
    const probe = () => faultOf(hit.spec)[sign](site, hit);
    const isMoot = (): boolean => settled.has(`${hit.id} ${sign}`);
    const found: Look = await lookFor(site, probe, { withinMs, isHidden: () => hasOthers(hit), isMoot });
    if (isMoot()) return;
    if (found.holds) {
      settle(hit, sign);
      record(sign === 'shows' ? 'shown' : 'healed', hit, found.seen);
    } else if (hasOthers(hit)) {
      owed.set(hit.id, { hit, sign });
    } else {
      settle(hit, sign);
      unseen(hit, sign, found.seen);
    }
  };

  const lookAgain = async (): Promise<void> => {
    for (const { hit, sign } of [...owed.values()]) {
      await look(hit, sign, hasOthers(hit) ? 0 : SHOWS_WITHIN_MS);
    }
  };

  let checking: Promise<void> | undefined;
  /** Who is to be injected meanwhile waits for it: no fault may bite while the cluster has to be well. */
  const isHealthy = (when: 'before' | 'after', hit: Hit): Promise<void> => {
    checking ??= askHealth(when, hit).finally(() => {
      checking = undefined;
    });
    return checking;
  };

  const askHealth = async (when: 'before' | 'after', { id, spec }: Hit): Promise<void> => {
    if (health === undefined) return;
    const what = `the cluster is healthy ${when} ${faultOf(spec).describe(spec)}`;
    write({ ...(await checkHealth(site, health, { what, isSetup: when === 'before' })), around: id });
  };

  /** Undefined, and on record as unavailable, where nobody is what is to be hit: nobody leads, say. */
  const choose = async (id: string, spec: FaultSpec): Promise<Hit | undefined> => {
    const fault = faultOf(spec);
    const view = await site.view();
    try {
      const resolved = fault.resolve?.(spec, view, site.random) ?? spec;
      return { id, spec: resolved, members: fault.members(resolved, view, site.random) };
    } catch (error) {
      if (!hasCode(error, 'not_found')) throw error;
      record('unavailable', { id, spec, members: [] }, RigError.from(error).message);
      return undefined;
    }
  };

  const inject: Nemesis['inject'] = async (id, spec, { after = [] } = {}) => {
    if (lives.has(id)) throw new RigError('invalid', `there was a fault '${id}' already`);
    const life = Promise.withResolvers<void>();
    lives.set(id, life);
    try {
      for (const other of after) await overOf(other);
      await bite(id, spec);
    } catch (error) {
      // Whoever waits for it would keep the script from ending, and it is healed only after that.
      life.resolve();
      throw error;
    }
    if (!hits.has(id)) life.resolve();
  };

  const overOf = async (id: string): Promise<void> => {
    const life = lives.get(id);
    const stopped = () => new RigError('aborted', 'the run was stopped');
    if (life !== undefined) await answerUnless(life.promise, site.signal, stopped);
  };

  const bite = async (id: string, spec: FaultSpec): Promise<void> => {
    const fault = faultOf(spec);
    const lacking = await fault.missing?.(site, spec);
    if (lacking !== undefined) return record('unavailable', { id, spec, members: [] }, lacking);
    if (checking !== undefined) await checking;
    else if (isCalm()) await isHealthy('before', { id, spec, members: [] });
    coming.add(id);
    try {
      const hit = await choose(id, spec);
      if (hit !== undefined) hits.set(id, hit);
    } finally {
      coming.delete(id);
    }
    const hit = hits.get(id);
    if (hit === undefined) return;
    record('inject', hit);
    try {
      await fault.inject(site, hit);
    } catch (error) {
      // Somebody else, or the system's own doing, was faster: no reason to lose the whole run.
      if (!hasCode(error, 'conflict')) throw error;
      return unseen(hit, 'shows', RigError.from(error).message);
    }
    await look(hit, 'shows', SHOWS_WITHIN_MS);
  };

  const heal: Nemesis['heal'] = async (id) => {
    const hit = hits.get(id);
    if (hit === undefined) return;
    try {
      await cure(hit);
    } finally {
      lives.get(id)?.resolve();
    }
  };

  const cure = async (hit: Hit): Promise<void> => {
    const { id } = hit;
    // What hid it may be gone by now, though it is still being looked whether nothing of that is left.
    if (owed.get(id)?.sign === 'shows') await look(hit, 'shows', 0);
    record('heal', hit);
    if (owed.has(id)) unseen(hit, 'shows', 'hidden by other faults for as long as it lasted');
    settle(hit, 'shows');
    await faultOf(hit.spec).heal(site, hit);
    await look(hit, 'healed', SHOWS_WITHIN_MS);
    hits.delete(id);
    await lookAgain();
    if (isCalm()) await isHealthy('after', hit);
  };

  return {
    inject,
    heal,
    healAll: async () => {
      for (const id of [...hits.keys()].reverse()) await heal(id);
    },
    active: () => [...hits.values()],
  };
}
