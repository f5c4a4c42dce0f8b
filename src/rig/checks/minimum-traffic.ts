// Enough happened for the other checks to mean something.
//
// Assumes that every client call is recorded. Never invalid: too little traffic
// is the experiment's fault, and leaves everything unknown.

import type { Check } from '../history.ts';
import { calls, nfsCalls } from './calls.ts';
import { answersOf, count } from './verdict.ts';

const { valid, unknown } = answersOf('minimum-traffic');

/** Calls on the API that succeeded. */
const LEAST_HTTP = 1;
/** Reads and writes that succeeded, in a run whose clients used NFS at all. */
const LEAST_NFS = 2;

export const minimumTraffic: Check = (run) => {
  const http = calls(run).filter(
    ({ operation, completion }) =>
      operation.kind === 'http' && completion?.phase === 'ok' && (completion.status ?? 500) < 400,
  ).length;
  if (http < LEAST_HTTP) return unknown(`${count(http, 'API call')} succeeded, at least ${LEAST_HTTP} must`);
  const nfs = nfsCalls(run);
  const through = nfs.filter(({ completion }) => completion?.phase === 'ok').length;
  if (nfs.length > 0 && through < LEAST_NFS) {
    return unknown(`${through} of ${count(nfs.length, 'NFS call')} succeeded, at least ${LEAST_NFS} must`);
  }
  return valid(`${count(http, 'API call')} and ${count(through, 'NFS call')} succeeded`);
};
