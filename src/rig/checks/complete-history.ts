// The record is whole, so that the other checks may believe it.
//
// Assumes that nothing but Cobalt writes to this etcd, so that every revision
// from the first write (2; a new store begins at 1) to the last has an event. A gap in the record says nothing about
// the system under test, only that nobody knows. Invalid is only an etcd whose members tell different histories.

import type { Check, DisagreementEvent, RecordedRun, Verdict } from '../history.ts';
import { calls } from './calls.ts';
import { finalState } from './final.ts';
import { firstMissingRevision } from './gaps.ts';
import { answersOf, count, seconds } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('complete-history');

export const completeHistory: Check = (run) => {
  if (run.history.length === 0) return unknown('nothing was recorded');
  const differing = run.history.find((event) => event.type === 'disagreement');
  if (differing !== undefined) return disagreement(differing);
  if (!run.etcdComplete) return unknown('the recorder did not see every revision of etcd');
  const backwards = run.etcd.findIndex(
    (event, index) => event.revision < (run.etcd[index - 1]?.revision ?? 0),
  );
  if (backwards >= 0) {
    return unknown(`etcd's events are out of order at revision ${run.etcd[backwards]?.revision}`);
  }
  const state = finalState(run);
  if (state === undefined) return unknown('the final state of etcd was not read');
  const missing = firstMissingRevision(run.etcd, state.revision);
  if (missing !== undefined) return unknown(`revision ${missing} of etcd was not seen`);
  const difference = replayDifference(run, state.keys, state.revision);
  if (difference !== undefined)
    return unknown(`the recorded events don't lead to the final state: ${difference}`);
  const all = calls(run);
  const pending = all.filter((call) => call.completion === undefined);
  if (pending.length > 0) {
    return unknown(
      `${count(pending.length, 'call')} without an end`,
      pending.map((call) => `${seconds(call.invokedMs)}: call ${call.call} of ${call.process}`),
    );
  }
  const completions = run.history.filter((event) => event.type === 'call' && event.phase !== 'invoke').length;
  if (completions !== all.length) return unknown(`${completions} completions of ${all.length} calls`);
  return valid(`${count(run.etcd.length, 'etcd event')} and ${count(all.length, 'call')}, none missing`);
};

function disagreement({ atMs, revision, told }: DisagreementEvent): Verdict {
  const names = told.map(({ member }) => member).join(' and ');
  const lines = told.map(
    ({ member, events }) => `${seconds(atMs)}: ${member}: ${events.join('; ') || 'nothing'}`,
  );
  return invalid(`${names} tell different things of revision ${revision} of etcd`, lines);
}

/** A lost event shows when the keys that the events leave behind aren't those that etcd had. */
function replayDifference(
  run: RecordedRun,
  keys: Readonly<Record<string, string>>,
  revision: number,
): string | undefined {
  const replayed = new Map<string, string>();
  for (const event of run.etcd) {
    if (event.revision > revision) break;
    if (event.kind === 'delete') replayed.delete(event.key);
    else replayed.set(event.key, event.value ?? '');
  }
  for (const [key, value] of Object.entries(keys)) {
    if (replayed.get(key) !== value) return key;
    replayed.delete(key);
  }
  return replayed.keys().next().value;
}
