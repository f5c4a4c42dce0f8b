// Enough happened for the other checks to mean something.
//
// Assumes that every client call is recorded. Never invalid: too little traffic, or faults
// of which none was ever seen, are the experiment's fault, and leave everything unknown. Whether each
// single one was to be had is for `faults`, in the scenarios that are about them.

import type { Check, NemesisEvent, RecordedRun } from '../history.ts';
import { dueCalls } from '../workload/spec.ts';
import { calls, nfsCalls } from './calls.ts';
import { answersOf, count } from './verdict.ts';

const { valid, unknown } = answersOf('minimum-traffic');

/** Calls on the API that succeeded. */
const LEAST_HTTP = 1;
/** Reads and writes that succeeded, in a run whose clients used NFS at all. */
const LEAST_NFS = 2;

interface Worked {
  readonly name: string;
  readonly succeeded: number;
  /** By its rate, for as long as it lasted. */
  readonly least: number;
}

/** What came of each workload that has ended. */
function workloads(run: RecordedRun): readonly Worked[] {
  const all = run.history.filter((event) => event.type === 'workload');
  const ok = calls(run).filter(({ completion }) => completion?.phase === 'ok');
  return all.flatMap((end): readonly Worked[] => {
    const { name, workload, phase } = end;
    const begin = all.find((event) => event.phase === 'begin' && event.name === name);
    if (phase !== 'end' || begin === undefined) return [];
    const succeeded = ok.filter(({ process }) => process.startsWith(`${name} `)).length;
    const due = dueCalls(workload, end.atMs - begin.atMs);
    return [{ name, succeeded, least: Math.ceil((due * workload.leastPercent) / 100) }];
  });
}

/** Of the faults that came so far. */
const idsOf = (run: RecordedRun, phases: readonly NemesisEvent['phase'][]): ReadonlySet<string> =>
  new Set(
    run.history.flatMap((event) =>
      event.type === 'nemesis' && phases.includes(event.phase) ? [event.id] : [],
    ),
  );

export const minimumTraffic: Check = (run) => {
  const http = calls(run).filter(
    ({ operation, completion }) =>
      operation.kind === 'http' && completion?.phase === 'ok' && (completion.status ?? 500) < 400,
  ).length;
  if (http < LEAST_HTTP) return unknown(`${count(http, 'API call')} succeeded, at least ${LEAST_HTTP} must`);
  for (const found of workloads(run)) {
    if (found.succeeded < found.least) {
      return unknown(
        `${count(found.succeeded, 'call')} of the workload ${found.name} succeeded, at least ${found.least} must`,
      );
    }
  }
  const nfs = nfsCalls(run);
  const through = nfs.filter(({ completion }) => completion?.phase === 'ok').length;
  if (nfs.length > 0 && through < LEAST_NFS) {
    return unknown(`${through} of ${count(nfs.length, 'NFS call')} succeeded, at least ${LEAST_NFS} must`);
  }
  const planned = idsOf(run, ['inject', 'unavailable']);
  if (planned.size > 0 && idsOf(run, ['shown']).size === 0)
    return unknown(`of ${count(planned.size, 'fault')} none was seen to bite`);
  return valid(`${count(http, 'API call')} and ${count(through, 'NFS call')} succeeded`);
};
