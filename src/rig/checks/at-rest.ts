// When all is done, the cluster waits: no role goes on working.
//
// Bounds are held against a clock that goes slower on a busy machine (work-clock.ts), so
// that a daemon which keeps it busy for nothing would be excused by what it does itself.
// Nothing excuses it here: what a role wants of a core does not depend on how many share
// it (images/node/cores-wanted.mjs).
//
// Assumes that the run waited for the cluster to come to rest before it collected the
// final inventories, and that work which is left for then, or a role that is just being
// started, comes to an end while they look.

import type { Check } from '../history.ts';
import { FINAL_LABEL, inventoriesOf, uncollectedNodes } from './final.ts';
import { downAtEnd } from './outages.ts';
import { answersOf, count } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('at-rest');

/** Of a core. An agent rests four times as long as it compares (daemon/agent): a fifth at most. Others hardly work at all. */
const MOST_CORES = 0.3;

export const atRest: Check = (run) => {
  const inventories = inventoriesOf(run, FINAL_LABEL);
  const wanted = [...inventories].flatMap(([node, { coresWanted = {} }]) =>
    Object.entries(coresWanted).map(([role, cores]) => ({ node, role, cores })),
  );
  const busy = wanted.filter(({ cores }) => cores > MOST_CORES);
  if (busy.length > 0)
    return invalid(
      `${count(busy.length, 'role')} of ${wanted.length} went on working when all was done, with more than ${MOST_CORES} of a core`,
      busy
        .toSorted((a, b) => b.cores - a.cores)
        .map(({ node, role, cores }) => `the ${role} of ${node}: ${cores.toFixed(2)} of a core`),
    );
  const missing = uncollectedNodes(run);
  if (missing.length > 0) return unknown(`no final inventory of ${missing.join(', ')}`);
  const unseen = run.topology.nodes.flatMap(({ name, roles }) => {
    const inventory = inventories.get(name);
    if (inventory === undefined) return [];
    return roles
      .filter((role) => inventory.coresWanted?.[role] === undefined && !downAtEnd(run, name, role))
      .map((role) => `the ${role} of ${name}`);
  });
  if (unseen.length > 0) return unknown(`nobody knows whether ${unseen.join(', ')} came to rest`);
  if (wanted.length === 0) return unknown('no role was looked at');
  const most = Math.max(...wanted.map(({ cores }) => cores));
  return valid(`${count(wanted.length, 'role')} at rest, with at most ${most.toFixed(2)} of a core each`);
};
