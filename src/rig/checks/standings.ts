// What the rules of a volume allowed a consumer, step by step, and from when to when its
// node owes it access.
//
// A change of the exports has GRACE_MS to take effect, by the work clock, counted from when
// the rig saw it committed, which may be up to SEEN_WITHIN_MS after those whom it concerns, outages
// of etcd aside. Only a node that was down explains a refusal, and has RECOVERY_MS to come back.

import type { RecordedRun } from '../history.ts';
import { type Call, endedMs, type NfsOperation } from './calls.ts';
import { type Level, levelOf } from './exports.ts';
import { blindSpots, disturbed, type Outage, outages } from './outages.ts';
import { countFirst } from './sorted.ts';
import { type VolumeStep, volumeSteps } from './volume-history.ts';
import { workClockOf } from './work-clock.ts';

export const GRACE_MS = 2_000;
const RECOVERY_MS = 15_000;
const SEEN_WITHIN_MS = 1_000;

type NfsCall = Call<NfsOperation>;

/** What a call that needs a level was allowed from a step of its volume on. */
export interface Standing {
  readonly step: VolumeStep;
  readonly allows: boolean;
  /** The last step that took it back. */
  readonly revoked: VolumeStep | undefined;
  /** The step by which the agent had applied it, if that holds still. */
  readonly granted: VolumeStep | undefined;
}

export type Standings = (call: NfsCall, address: string) => readonly Standing[];

const needed = (call: NfsCall): Level => (call.operation.kind === 'nfs-write' ? 2 : 1);

/** Looks every step up once for each consumer, not for each of its calls. */
export function createStandings(run: RecordedRun): Standings {
  const steps = Map.groupBy(volumeSteps(run), (step) => step.id);
  const known = new Map<string, readonly Standing[]>();
  return (call, address) => {
    const { volume } = call.operation;
    const key = `${volume} ${address} ${needed(call)}`;
    const found = known.get(key) ?? standingsOf(steps.get(volume) ?? [], address, needed(call));
    known.set(key, found);
    return found;
  };
}

function standingsOf(steps: readonly VolumeStep[], address: string, level: Level): readonly Standing[] {
  let revoked: VolumeStep | undefined;
  let granted: VolumeStep | undefined;
  let allowed = false;
  return steps.map((step) => {
    const allows = levelOf(step.after?.exports ?? [], address) >= level;
    if (allowed && !allows) revoked = step;
    allowed = allows;
    const isApplied = isGranted(step, address, level);
    if (!isApplied || step.after?.node !== step.before?.node) granted = undefined;
    if (isApplied) granted ??= step;
    return { step, allows, revoked, granted };
  });
}

/**
 * Answers with the step by which a call had been granted that its volume's node owed access for as
 * long as it lasted; undefined while the export may have come or gone.
 */
export function createDebts(
  run: RecordedRun,
  standings: Standings = createStandings(run),
): (call: NfsCall) => VolumeStep | undefined {
  const clock = workClockOf(run);
  const faults = extended(run);
  const blind = blindSpots(run);
  const isSeenLate = ({ step }: Standing, sinceMs: number): boolean =>
    clock.workedMs({ fromMs: sinceMs, toMs: step.event.atMs }, blind) <= SEEN_WITHIN_MS;
  return (call) => {
    const address = run.consumers[call.operation.consumer];
    if (address === undefined) return undefined;
    const refusedMs = call.completion?.atMs ?? endedMs(call);
    const all = standings(call, address);
    const seen = countFirst(all, ({ step }) => step.event.atMs <= refusedMs);
    const { granted } = all[seen - 1] ?? {};
    const taken = all.find((standing, index) => index >= seen && standing.granted !== granted);
    if (taken !== undefined && isSeenLate(taken, refusedMs)) return undefined;
    const node = granted?.after?.node;
    if (granted === undefined || node == null) return undefined;
    if (clock.after(granted.event.atMs, GRACE_MS) >= call.invokedMs) return undefined;
    const down = faults.filter((outage) => outage.role === undefined && outage.container === node);
    const span = { fromMs: clock.before(call.invokedMs, RECOVERY_MS), toMs: refusedMs };
    return disturbed(span, down) || isElsewhere(run, call, node) ? undefined : granted;
  };
}

/** The consumer asked another node than the one that has the volume. An address says nothing about that. */
const isElsewhere = (run: RecordedRun, { operation }: NfsCall, node: string): boolean =>
  operation.server !== node && run.topology.nodes.some(({ name }) => name === operation.server);

function isGranted({ after: volume }: VolumeStep, address: string, level: Level): boolean {
  if (volume?.actual == null || volume.state === 'deleting' || volume.state === 'moving') return false;
  return [volume.exports, volume.actual.exports].every((rules) => levelOf(rules, address) >= level);
}

/** After etcd is back its clients need a while to find it, and a node to start. */
export function extended(run: RecordedRun): readonly Outage[] {
  const etcdMs = run.topology.settings.leaseTtlSeconds * 1000;
  const clock = workClockOf(run);
  return outages(run).map((outage) => ({
    ...outage,
    toMs: clock.after(outage.toMs, outage.container === 'etcd' ? etcdMs : RECOVERY_MS),
  }));
}
