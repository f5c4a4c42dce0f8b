// Whatever was accepted comes to an end: what a client was promised by a 202 is
// stored (lost-answers.ts), and is then done, or refused with a reason that `control.error` shows.
//
// Assumes that etcd's events are complete. A volume has come to rest when it is
// ready with its exports applied, or says in `control.error` why it can't go on,
// or is gone. It may take as long as it likes over it as long as it gets on: each
// write is a step. Only silence counts, by the work clock, and only while nothing was disturbed
// that the volume's work depends on: its nodes, its parent's, etcd, and whichever engine leads.

import { sameRules } from '../../model/export.ts';
import { moveTaskOf, type Volume } from '../../model/volume.ts';
import type { Check, RecordedRun } from '../history.ts';
import { impairments, isAct } from './impairments.ts';
import { firstLostSpec, firstLostVolume } from './lost-answers.ts';
import { downAtEnd, endMs, hits, type Outage, outages } from './outages.ts';
import { whenMoreAreOut } from './quorum.ts';
import type { Span } from './spans.ts';
import { answersOf, count, position, seconds } from './verdict.ts';
import { describeStep, volumeSteps } from './volume-history.ts';
import { workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('ends');

/**
 * Beyond a lease's life: after that long without a word work is stuck. Shorter than the rig waits
 * for the cluster to come to rest (settle.ts), so that what is stuck by then shows.
 */
const SILENCE_MS = 10_000;
/** The same of work whose time depends on how much there is to copy. */
const COPYING_SILENCE_MS = 60_000;
/** Beyond a lease's life: by then another engine leads, and knows what there is to do. */
const FAIL_OVER_MS = 5_000;

export const ends: Check = (run) => {
  if (!run.etcdComplete) return unknown('the recorder did not see every revision of etcd');
  const lost = firstLostVolume(run) ?? firstLostSpec(run);
  if (lost !== undefined) return invalid(lost.reason, lost.lines);
  const disturbances = createDisturbances(run);
  const clock = workClockOf(run);
  let restless = 0;
  const open: string[] = [];
  const lastMs = endMs(run);
  for (const [id, steps] of Map.groupBy(volumeSteps(run), (step) => step.id)) {
    for (const [index, step] of steps.entries()) {
      if (isAtRest(step.after)) continue;
      restless += 1;
      const next = steps[index + 1];
      const toMs = next?.event.atMs ?? lastMs;
      const boundMs = boundOf(run, step.after);
      const span = { fromMs: step.event.atMs, toMs };
      const isLong = toMs - step.event.atMs > boundMs;
      const silentMs = isLong ? clock.workedMs(span, disturbances(step.after)) : 0;
      const line = `${position(step.event)}: ${describeStep(step)}`;
      if (silentMs > boundMs) {
        return invalid(`volume ${id} stayed ${step.after?.state}, and gave no reason in control.error`, [
          line,
          `nothing for ${seconds(silentMs)} that no fault explains, at most ${seconds(boundMs)} are allowed`,
          next === undefined ? 'the run ended so' : `${position(next.event)}: ${describeStep(next)}`,
        ]);
      }
      // Whoever has the work to do may be gone for good.
      if (next === undefined && !isAway(run, step.after)) open.push(line);
    }
  }
  if (open.length > 0)
    return unknown(`${count(open.length, 'volume')} still at work when the run ended`, open);
  if (restless === 0) return unknown('nothing was asked of any volume');
  return valid(`${count(restless, 'step')} that had to lead on did, or gave a reason`);
};

/**
 * What may keep anybody from working on a volume. A node that stands still and has nothing to do with it
 * does so until another engine leads at the latest; where there is none, for as long as it is away.
 */
function createDisturbances(run: RecordedRun): (volume: Volume | undefined) => readonly Span[] {
  const { nodes, settings } = run.topology;
  const nodesOf = Map.groupBy(
    volumeSteps(run).flatMap(({ id, after }) => (after === undefined ? [] : [{ id, after }])),
    ({ id }) => id,
  );
  const everOf = (id: string | null): readonly (string | null)[] =>
    (id === null ? [] : (nodesOf.get(id) ?? [])).flatMap(({ after }) => [
      after.node,
      moveTaskOf(after)?.node ?? null,
    ]);
  const engines = nodes.filter(({ roles }) => roles.includes('engine')).map(({ name }) => name);
  const halts = outages(run).filter(({ kind, container }) => kind !== 'impaired' && isNode(container));
  const leaderless = whenMoreAreOut(
    engines.length - 1,
    halts.filter((outage) => engines.some((name) => hits(outage, name, 'engine'))),
  );
  const ttlMs = settings.leaseTtlSeconds * 1000;
  const clock = workClockOf(run);
  const brief = ({ fromMs, toMs }: Outage): Span => ({
    fromMs,
    toMs: Math.min(toMs, clock.after(fromMs + ttlMs, FAIL_OVER_MS)),
  });
  const others = [
    ...outages(run).filter((outage) => !halts.includes(outage)),
    ...impairments(run).filter(({ fault }) => !isAct(fault)),
    ...leaderless,
  ];
  return (volume) => {
    const concerned = new Set([...everOf(volume?.id ?? null), ...everOf(volume?.control.parent_id ?? null)]);
    const own = halts.map((outage) => (concerned.has(outage.container) ? outage : brief(outage)));
    return [...others, ...own];
  };

  function isNode(container: string): boolean {
    return nodes.some(({ name }) => name === container);
  }
}

function isAtRest(volume: Volume | undefined): boolean {
  if (volume === undefined || volume.control.error !== null) return true;
  return volume.state === 'ready' && sameRules(volume.actual?.exports ?? [], volume.exports);
}

function boundOf({ topology: { settings } }: RecordedRun, volume: Volume | undefined): number {
  const isCopying = volume?.state === 'moving' || volume?.state === 'rewriting';
  const ownMs = settings.leaseTtlSeconds * 1000 + settings.reconcileIntervalMs;
  return ownMs + (isCopying ? COPYING_SILENCE_MS : SILENCE_MS);
}

function isAway(run: RecordedRun, volume: Volume | undefined): boolean {
  return volume?.node != null && downAtEnd(run, volume.node) !== undefined;
}
