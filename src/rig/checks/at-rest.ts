// When all is done, the cluster waits: no role goes on using a core, nor do all of them
// together.
//
// Bounds are held against a clock that goes slower on a busy machine (work-clock.ts), so
// that a daemon which keeps it busy for nothing would be excused by what it does itself.
// Nothing excuses it here: processor time doesn't grow where there is too little of it,
// and a busy machine only makes it less.
//
// Assumes that the run waited for the cluster to come to rest before it collected the
// final inventories, and that work which is left for then, or a role that is just being
// started, comes to an end while they look (images/node/cores-used.mjs).

import type { Check } from '../history.ts';
import { FINAL_LABEL, inventoriesOf, uncollectedNodes } from './final.ts';
import { downAtEnd } from './outages.ts';
import { answersOf, count } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('at-rest');

/** Of a core. A role that only keeps its lease and compares its disk uses a tenth of that. */
const MOST_OF_ROLE = 0.5;
/** Of all nodes, which may share few cores, and then none of those that spin gets much. */
const MOST_OF_ALL = 1;

export const atRest: Check = (run) => {
  const inventories = inventoriesOf(run, FINAL_LABEL);
  const used = [...inventories]
    .flatMap(([node, { coresUsed = {} }]) =>
      Object.entries(coresUsed).map(([role, cores]) => ({ node, role, cores })),
    )
    .toSorted((a, b) => b.cores - a.cores);
  const lines = (found: typeof used) =>
    found.map(({ node, role, cores }) => `the ${role} of ${node}: ${cores.toFixed(2)} of a core`);
  const busy = used.filter(({ cores }) => cores > MOST_OF_ROLE);
  if (busy.length > 0)
    return invalid(
      `${count(busy.length, 'role')} used more than ${MOST_OF_ROLE} of a core at rest`,
      lines(busy),
    );
  const total = used.reduce((sum, { cores }) => sum + cores, 0);
  const together = `${count(used.length, 'role')} used ${total.toFixed(2)} of a core at rest`;
  if (total > MOST_OF_ALL) return invalid(`${together}, more than ${MOST_OF_ALL}`, lines(used));
  const missing = uncollectedNodes(run);
  if (missing.length > 0) return unknown(`no final inventory of ${missing.join(', ')}`);
  const unseen = run.topology.nodes
    .filter(({ name }) => inventories.has(name))
    .flatMap(({ name, roles }) =>
      roles
        .filter(
          (role) => inventories.get(name)?.coresUsed?.[role] === undefined && !downAtEnd(run, name, role),
        )
        .map((role) => `the ${role} of ${name}`),
    );
  if (unseen.length > 0) return unknown(`nobody knows what ${unseen.join(', ')} used at rest`);
  if (used.length === 0) return unknown('no role was looked at');
  return valid(together);
};
