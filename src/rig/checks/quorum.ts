// When etcd as a whole was away, in a cluster of several members: while too few
// are left to agree, and for a moment after each member that goes; or may have
// been, while a fault disturbed one of them.

import type { Outage } from './outage.ts';
import type { Span } from './spans.ts';
import type { WorkClock } from './work-clock.ts';

/**
 * The member that goes may have been the leader: until the others have elected
 * another, nothing is written. etcd's election timeout is 1 s, drawn up to 2 s,
 * and a split vote costs one more: all of it is waiting, but for the votes.
 */
const ELECTION_TIMEOUTS_MS = 3_500;
const VOTES_MS = 500;

/** Outages of the container `etcd`, which no cluster of several members has, made of those of its members. */
export function etcdOutages(
  members: readonly string[],
  all: readonly Outage[],
  clock: WorkClock,
): readonly Outage[] {
  if (members.length === 1) return [];
  const hit = all.filter(({ container }) => members.includes(container));
  const ofMembers = hit.filter(({ kind }) => kind !== 'impaired');
  const tolerated = Math.floor((members.length - 1) / 2);
  const atLeast = whenMoreAreOut(
    tolerated,
    ofMembers.map((one) => ({ ...one, fromMs: one.certainFromMs, toMs: one.certainToMs })),
  );
  const away = whenMoreAreOut(tolerated, ofMembers).map((span): Outage => {
    const certain = atLeast.find(({ fromMs, toMs }) => fromMs >= span.fromMs && toMs <= span.toMs);
    return {
      container: 'etcd',
      role: undefined,
      kind: 'down',
      fromMs: span.fromMs,
      toMs: span.toMs,
      certainFromMs: certain?.fromMs ?? Number.POSITIVE_INFINITY,
      certainToMs: certain?.toMs ?? span.toMs,
    };
  });
  const electedMs = (goneMs: number): number => clock.after(goneMs + ELECTION_TIMEOUTS_MS, VOTES_MS);
  // It excuses; nothing can be asked of it, since the member need not have led.
  const elections = ofMembers
    .filter(({ fromMs }) => fromMs > 0)
    .map((outage): Outage => {
      const toMs = electedMs(outage.fromMs);
      const never = { certainFromMs: Number.POSITIVE_INFINITY, certainToMs: outage.fromMs };
      return { container: 'etcd', role: undefined, kind: 'down', fromMs: outage.fromMs, toMs, ...never };
    });
  // One member that is slow or half cut off makes the others elect again and again.
  const impaired = hit
    .filter(({ kind }) => kind === 'impaired')
    .map((outage): Outage => ({ ...outage, container: 'etcd', toMs: electedMs(outage.toMs) }));
  return [...away, ...elections, ...impaired].sort((a, b) => a.fromMs - b.fromMs);
}

type Absence = Span & Pick<Outage, 'container'>;

/** The spans in which more than so many containers are out at the same time. */
export function whenMoreAreOut(tolerated: number, absences: readonly Absence[]): readonly Span[] {
  const real = absences.filter(({ fromMs, toMs }) => fromMs < toMs);
  const times = [...new Set(real.flatMap(({ fromMs, toMs }) => [fromMs, toMs]))].sort((a, b) => a - b);
  const spans: { fromMs: number; toMs: number }[] = [];
  for (const [index, fromMs] of times.entries()) {
    const toMs = times[index + 1];
    if (toMs === undefined) break;
    const out = real.filter((absence) => absence.fromMs <= fromMs && absence.toMs >= toMs);
    if (new Set(out.map(({ container }) => container)).size <= tolerated) continue;
    const last = spans.at(-1);
    if (last?.toMs === fromMs) last.toMs = toMs;
    else spans.push({ fromMs, toMs });
  }
  return spans;
}
