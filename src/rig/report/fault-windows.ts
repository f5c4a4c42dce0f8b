// When something was broken on purpose: what the rig did to containers, and the
// faults that have a life cycle of their own.

import { outages } from '../checks/outages.ts';
import { describeFault } from '../faults/catalogue.ts';
import type { NemesisEvent, RecordedRun } from '../history.ts';

export interface FaultWindow {
  /** The lane that it is drawn in: one for each thing that was hit, or each fault's own. */
  readonly lane: string;
  readonly label: string;
  readonly fromMs: number;
  /** Infinity when it was never seen to end. */
  readonly toMs: number;
  /** What was seen of it. */
  readonly evidence: string;
}

/** In the order in which they began. */
export function faultWindows(run: RecordedRun): readonly FaultWindow[] {
  // What was impaired was so by a fault that has a window of its own.
  const acts = outages(run).filter(({ kind }) => kind !== 'impaired');
  const hit = acts.map(({ container, role, kind, fromMs, toMs }): FaultWindow => {
    const what = role === undefined ? container : `${role} of ${container}`;
    return { lane: container, label: `${what} ${kind}`, fromMs, toMs, evidence: '' };
  });
  return [...hit, ...nemeses(run)].sort((a, b) => a.fromMs - b.fromMs);
}

/** Faults that could not be had on the machine, as sentences. */
export const unavailableFaults = (run: RecordedRun): readonly string[] =>
  run.history.flatMap((event) =>
    event.type === 'nemesis' && event.phase === 'unavailable'
      ? [`${faultSentence(event)}: ${event.evidence ?? 'unavailable here'}`]
      : [],
  );

/** Those that were active at some time of the span. */
export const faultsWithin = (
  windows: readonly FaultWindow[],
  span: { readonly fromMs: number; readonly toMs: number },
): readonly FaultWindow[] =>
  windows.filter((window) => window.fromMs <= span.toMs && window.toMs >= span.fromMs);

function nemeses(run: RecordedRun): readonly FaultWindow[] {
  const byId = new Map<string, FaultWindow>();
  for (const event of run.history) {
    if (event.type !== 'nemesis' || event.phase === 'unavailable') continue;
    const known = byId.get(event.id);
    const window = known ?? {
      lane: event.id,
      label: `${event.id}: ${faultSentence(event)}${event.members.length > 0 ? ` (${event.members.join(', ')})` : ''}`,
      fromMs: event.atMs,
      toMs: Number.POSITIVE_INFINITY,
      evidence: '',
    };
    byId.set(event.id, {
      ...window,
      ...(event.phase === 'healed' && { toMs: event.atMs }),
      evidence: window.evidence || (event.evidence ?? ''),
    });
  }
  return [...byId.values()];
}

/** A recorded run may name a fault that this version doesn't know. */
export function faultSentence({ fault }: NemesisEvent): string {
  try {
    return describeFault(fault);
  } catch {
    return fault.fault;
  }
}
