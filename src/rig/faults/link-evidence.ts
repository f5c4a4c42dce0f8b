// What is seen of links from outside: by whoever is to receive a packet.

import type { Arrivals, Connection, Links, Path } from '../deployment.ts';
import type { Observation } from '../observation.ts';

/** How long a datagram may take on a link that is not delayed, on a busy machine. */
const ARRIVES_WITHIN_MS = 500;
/** How long a connection may take to be answered. */
const ANSWERS_WITHIN_MS = 600;
const SMALL = { count: 5, bytes: 64, withinMs: ARRIVES_WITHIN_MS };

/** Nothing arrives on any of these paths. */
export async function lost(links: Links, paths: readonly Path[]): Promise<Observation> {
  const seen = await links.send(paths, SMALL);
  return every(seen, 'nothing arrives', ({ tookMs }) => tookMs.length === 0, countOf);
}

/** Something arrives on all of them. */
export async function passes(links: Links, paths: readonly Path[]): Promise<Observation> {
  const seen = await links.send(paths, SMALL);
  return every(seen, 'packets arrive', ({ tookMs }) => tookMs.length > 0, countOf);
}

const LOSS_PROBE = { count: 200, bytes: 64, withinMs: ARRIVES_WITHIN_MS };

/** Of all packets together about so many per cent are lost: within four standard deviations, and some if any are to be. */
export async function lossOf(links: Links, paths: readonly Path[], percent: number): Promise<Observation> {
  const arrivals = await links.send(paths, LOSS_PROBE);
  const sent = arrivals.reduce((sum, one) => sum + one.sent, 0);
  const arrived = arrivals.reduce((sum, one) => sum + one.tookMs.length, 0);
  const lostPercent = sent === 0 ? 0 : (100 * (sent - arrived)) / sent;
  const deviation = Math.sqrt((percent * (100 - percent)) / Math.max(1, sent));
  // Of a small share none at all is within that, too, and shows nothing.
  const isLossy = arrived < sent;
  const holds = sent > 0 && isLossy === percent > 0 && Math.abs(lostPercent - percent) <= 4 * deviation;
  return { holds, seen: `${lostPercent.toFixed(1)} % of ${sent} packets are lost` };
}

/** On each path a packet takes, in the median, at least so long, or less than that. */
export async function takes(
  links: Links,
  paths: readonly Path[],
  bound: { readonly atLeastMs: number } | { readonly lessThanMs: number },
): Promise<Observation> {
  const boundMs = 'atLeastMs' in bound ? bound.atLeastMs : bound.lessThanMs;
  const withinMs = 2 * boundMs + ARRIVES_WITHIN_MS;
  const seen = await links.send(paths, { count: 11, bytes: 64, withinMs });
  const holds = ({ tookMs }: Arrivals): boolean => {
    const ms = median(tookMs);
    if (ms === undefined) return false;
    return 'atLeastMs' in bound ? ms >= boundMs : ms < boundMs;
  };
  const words =
    'atLeastMs' in bound ? `packets take ${boundMs} ms or more` : `packets take less than ${boundMs} ms`;
  return every(seen, words, holds, ({ tookMs }) => `${median(tookMs)?.toFixed(1) ?? 'over'} ms`);
}

const LARGE_BYTES = 1_400;
/** A burst that a link of this rate is busy with for so long, as far as its queue takes it. */
const BUSY_MS = 300;

/** How fast a burst arrives on each path: at most a half above the rate, or more than that. */
export async function flows(
  links: Links,
  paths: readonly Path[],
  bound: { readonly kbitPerSecond: number; readonly limited: boolean },
): Promise<Observation> {
  const { kbitPerSecond, limited } = bound;
  const packetMs = (LARGE_BYTES * 8) / kbitPerSecond;
  const count = Math.min(80, Math.max(12, Math.ceil(BUSY_MS / packetMs)));
  const withinMs = 2 * count * packetMs + ARRIVES_WITHIN_MS;
  const seen = await links.send(paths, { count, bytes: LARGE_BYTES, withinMs });
  const holds = (one: Arrivals): boolean =>
    one.tookMs.length > 2 && rateOf(one) <= 1.5 * kbitPerSecond === limited;
  const words = `a burst arrives at ${limited ? 'no more' : 'more'} than ${kbitPerSecond} kbit/s`;
  return every(seen, words, holds, (one) => `${rateOf(one).toFixed(0)} kbit/s`);
}

/** In kbit/s, between the first arrival and the last. */
export const rateOf = ({ tookMs, spanMs }: Arrivals): number =>
  ((tookMs.length - 1) * LARGE_BYTES * 8) / Math.max(spanMs, 0.001);

/** What becomes of a connection on each path. */
export async function connects(
  links: Links,
  paths: readonly Path[],
  outcomes: readonly Connection['outcome'][],
): Promise<Observation> {
  const seen = await links.connect(paths, ANSWERS_WITHIN_MS);
  const words = `connections are ${outcomes.join(' or ')}`;
  return every(
    seen,
    words,
    ({ outcome }) => outcomes.includes(outcome),
    ({ outcome }) => outcome,
  );
}

const countOf = ({ tookMs, sent }: Arrivals): string => `${tookMs.length} of ${sent} arrive`;

/** Members that do not run have no paths; with none left nothing can be told. */
function every<Seen extends Path>(
  seen: readonly Seen[],
  words: string,
  holds: (one: Seen) => boolean,
  tell: (one: Seen) => string,
): Observation {
  if (seen.length === 0) return { holds: false, hidden: true, seen: 'no two of these members run' };
  const other = seen.filter((one) => !holds(one));
  const [first] = other;
  if (first === undefined) return { holds: true, seen: `${words} on ${seen.length} of ${seen.length} paths` };
  const example = `${first.from} → ${first.to}: ${tell(first)}`;
  return {
    holds: false,
    seen: `${words} on ${seen.length - other.length} of ${seen.length} paths; ${example}`,
  };
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
