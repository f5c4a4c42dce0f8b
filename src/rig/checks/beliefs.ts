// When each engine believed that it leads, from the daemons' own logs.

import type { RecordedRun } from '../history.ts';
import { type Impairment, impairments, mayEnd } from './impairments.ts';
import { hits, type Outage, outages } from './outages.ts';
import { isRoleExit } from './role-exits.ts';

export interface Belief {
  readonly node: string;
  readonly term: number;
  readonly fromMs: number;
  /** Infinity when nothing ended it. */
  readonly toMs: number;
  /** What ended it, for people. */
  readonly end: string;
}

const STARTED_ANEW = 'started anew';

// The engine's own words, and those of the election under it (kv/election.ts).
const ELECTED: ReadonlySet<string> = new Set(['engine.elected', 'election.won']);
const DEPOSED: ReadonlySet<string> = new Set(['engine.deposed', 'election.lost']);

/**
 * From `engine.elected {term}` to `engine.deposed {term}`, or to whatever else
 * ended the process that believed: a fault that took the engine or its
 * container down, the supervisor's notice that it ended, or that it started another,
 * the next election of an engine on the same node (there is one engine a node).
 */
export function beliefs(run: RecordedRun): readonly Belief[] {
  const downs = outages(run).filter((outage) => outage.kind === 'down');
  const deadly = impairments(run).filter(mayEnd);
  const ended: Belief[] = [];
  const open = new Map<string, { readonly term: number; readonly fromMs: number }>();
  const close = (node: string, toMs: number, end: string): void => {
    const belief = open.get(node);
    if (belief === undefined) return;
    open.delete(node);
    ended.push(cutShort(cutUnheard({ node, ...belief, toMs, end }, deadly), downs));
  };
  for (const line of run.logs) {
    const term = line.fields.term;
    if (ELECTED.has(line.event) && typeof term === 'number') {
      if (open.get(line.container)?.term === term) continue;
      close(line.container, line.atMs, 'elected again');
      open.set(line.container, { term, fromMs: line.atMs });
    } else if (DEPOSED.has(line.event) && open.get(line.container)?.term === term) {
      close(line.container, line.atMs, 'deposed');
    } else if (isRoleExit(line) && line.fields.role === 'engine') {
      close(line.container, line.atMs, 'its process ended');
    } else if (line.event === 'role.started' && line.fields.role === 'engine') {
      // Nobody has logged the end of a supervisor that was killed with all its processes.
      close(line.container, line.atMs, STARTED_ANEW);
    }
  }
  for (const node of [...open.keys()]) close(node, Number.POSITIVE_INFINITY, 'never ended');
  return ended.sort((a, b) => a.fromMs - b.fromMs);
}

const UNHEARD: ReadonlySet<string> = new Set(['elected again', 'never ended', STARTED_ANEW]);
const isUnheard = ({ end }: Belief): boolean => UNHEARD.has(end);

/** A killed process can't log its end; the fault that killed it is its end, also if it was elected while that was on its way. */
function cutShort(belief: Belief, downs: readonly Outage[]): Belief {
  const killed = downs.find(
    (outage) =>
      hits(outage, belief.node, 'engine') &&
      (isUnheard(belief) ? outage.certainFromMs : outage.fromMs) >= belief.fromMs &&
      outage.fromMs < belief.toMs,
  );
  if (killed === undefined) return belief;
  return { ...belief, toMs: Math.max(belief.fromMs, killed.fromMs), end: 'killed' };
}

/**
 * An engine that is elected again without having said that it was deposed is another process: a fault that may end
 * whole containers, such as `out-of-memory`, was the end of the one before, at some time from then on.
 */
function cutUnheard(belief: Belief, deadly: readonly Impairment[]): Belief {
  if (!isUnheard(belief)) return belief;
  const ending = deadly.find(
    ({ members, fromMs, toMs }) =>
      members.includes(belief.node) && toMs > belief.fromMs && fromMs < belief.toMs,
  );
  if (ending === undefined) return belief;
  const toMs = Math.max(belief.fromMs, ending.fromMs);
  return { ...belief, toMs, end: `perhaps ended by ${ending.fault.fault}` };
}
