// What a kind of fault has to know of itself. Effects go through the deployment,
// so that the same fault works in every mode that can do it at all.

import type { Clock } from '../../base/clock.ts';
import type { Random } from '../../base/random.ts';
import type { Role } from '../../model/volume.ts';
import type { Act, Deployment } from '../deployment.ts';
import type { Observation } from '../observation.ts';
import type { ClusterView } from './select.ts';
import type { FaultName, FaultSpec, SpecOf } from './spec.ts';

export const FAMILIES = ['process', 'network', 'clock', 'disk', 'etcd', 'cluster', 'code'] as const;
export type Family = (typeof FAMILIES)[number];

/** Where faults are injected. */
export interface Site {
  readonly deployment: Deployment;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Answers whether a wait that begins now, and may take so long, is over (checks/work-clock.ts). */
  deadline(boundMs: number): () => boolean;
  view(): Promise<ClusterView>;
  /** {@link Deployment.act}, on record: the checks know of an outage by it. */
  act(act: Act, member: string, options?: { readonly role?: Role }): Promise<void>;
  /** {@link Deployment.addNode}, on record. */
  addNode(name: string): Promise<void>;
  /** A call on the API of some node that runs, on record; not on that of `except`. Undefined when no answer came. */
  call(
    request: { readonly method: 'GET' | 'PUT' | 'DELETE'; readonly path: string; readonly body?: unknown },
    except?: string,
  ): Promise<{ readonly status: number; readonly body: unknown } | undefined>;
  /** The id of a volume of the script. */
  idOf(volume: string): string;
  /** Up to this revision nobody needs the history of etcd any more: the run's record has it. */
  recorded(): number;
}

/** One fault that is being injected or healed. */
export interface Hit<Spec = FaultSpec> {
  /** Its name in the script; unique in the run. */
  readonly id: string;
  readonly spec: Spec;
  readonly members: readonly string[];
}

/**
 * Its life: chosen → injected → it shows → healed → its absence shows. Every call may
 * throw `machine`; looking may throw anything, and is then looked at again.
 */
export interface Fault<Spec = FaultSpec> {
  readonly family: Family;
  /** `latency of 200 ms at node1`: for progress and reports. */
  describe(spec: Spec): string;
  /** What this deployment lacks for it; undefined when it can be had. Default: nothing. */
  missing?(site: Site, spec: Spec): Promise<string | undefined>;
  /** Those chosen, by name, in the place of selectors, where `members` alone would not tell who is what. Pure. Default: as it is. */
  resolve?(spec: Spec, view: ClusterView, random: Random): Spec;
  /** Who is hit. Pure. */
  members(spec: Spec, view: ClusterView, random: Random): readonly string[];
  inject(site: Site, hit: Hit<Spec>): Promise<void>;
  /** Evidence, from outside, that it bit. */
  shows(site: Site, hit: Hit<Spec>): Promise<Observation>;
  /** Also undoes an injection that failed half-way. Idempotent. */
  heal(site: Site, hit: Hit<Spec>): Promise<void>;
  /** Evidence, from outside, that nothing of it is left. */
  healed(site: Site, hit: Hit<Spec>): Promise<Observation>;
}

export type Catalogue = { readonly [Name in FaultName]: Fault<SpecOf<Name>> };
