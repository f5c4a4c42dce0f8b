// What the terminal's summary says of a run besides its verdicts.

import { calls } from '../checks/calls.ts';
import { endMs } from '../checks/outages.ts';
import { seconds } from '../checks/verdict.ts';
import type { RecordedRun, Verdict } from '../history.ts';
import { figuresOf } from './call-figures.ts';
import { faultWindows } from './fault-windows.ts';
import { findings } from './findings.ts';
import { mountSights } from './mount-sights.ts';

export interface Glance {
  /** The checks that found something, in the order of the page. */
  readonly found: readonly string[];
  /** `Faults then: …`, or those of the run when no finding speaks of a moment. */
  readonly faults: string;
  /** How the calls ended and how long they took. */
  readonly calls: string;
  /** What open files on kernel mounts saw, a sentence each. */
  readonly mounts?: readonly string[];
  /** Where the record breaks off, and why; undefined for a run that came to its end. */
  readonly interrupted: string | undefined;
}

const MOST_FAULTS = 3;

export function glanceOf(run: RecordedRun, verdicts: readonly Verdict[]): Glance {
  const found = findings(run, verdicts);
  const worst = found.find(({ lines }) => lines.some(({ span }) => span !== undefined));
  const active = worst?.faults ?? faultWindows(run);
  const names = active.slice(0, MOST_FAULTS).map(({ label, fromMs }) => `${label} at ${seconds(fromMs)}`);
  const more = active.length > MOST_FAULTS ? ` and ${active.length - MOST_FAULTS} more` : '';
  const mounts = mountSights(run);
  const { calls: total, refused, wrong, medianMs, p95Ms } = figuresOf(calls(run));
  const took =
    medianMs === undefined || p95Ms === undefined
      ? ''
      : `; median ${Math.round(medianMs)} ms, p95 ${Math.round(p95Ms)} ms`;
  return {
    found: found.map(({ check }) => check),
    faults: `faults${worst === undefined ? '' : ' then'}: ${names.join(', ') || 'none'}${more}`,
    calls: `calls: ${total}, ${refused} refused, ${wrong} went wrong${took}`,
    ...(mounts.length > 0 && { mounts }),
    interrupted: run.interrupted && `interrupted at ${seconds(endMs(run))}: ${run.interrupted}`,
  };
}
