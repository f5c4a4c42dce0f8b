// The part of the run that is looked at: pure arithmetic.

/** @typedef {{ readonly fromMs: number, readonly toMs: number }} Span */

/** Nothing shorter is shown: events are recorded to the tenth of a millisecond. */
const SHORTEST_MS = 5;

/**
 * The span, moved and cut so that it lies within the run.
 * @param {Span} span
 * @param {number} endMs
 * @returns {Span}
 */
export function within(span, endMs) {
  const lengthMs = Math.min(endMs, Math.max(SHORTEST_MS, span.toMs - span.fromMs));
  const fromMs = Math.min(Math.max(0, span.fromMs), Math.max(0, endMs - lengthMs));
  return { fromMs, toMs: fromMs + lengthMs };
}

/**
 * Shorter or longer by a factor, around a time that stays where it is.
 * @param {Span} span
 * @param {{ readonly factor: number, readonly atMs: number, readonly endMs: number }} how
 */
export function zoomed(span, { factor, atMs, endMs }) {
  return within(
    { fromMs: atMs - (atMs - span.fromMs) * factor, toMs: atMs + (span.toMs - atMs) * factor },
    endMs,
  );
}

/**
 * Moved by a share of its own length.
 * @param {Span} span
 * @param {{ readonly share: number, readonly endMs: number }} how
 */
export function shifted(span, { share, endMs }) {
  const byMs = (span.toMs - span.fromMs) * share;
  return within({ fromMs: span.fromMs + byMs, toMs: span.toMs + byMs }, endMs);
}

/**
 * A span with room to both sides, so that what led to it can be seen.
 * @param {Span} span
 * @param {number} endMs
 */
export function around(span, endMs) {
  const marginMs = Math.max(500, (span.toMs - span.fromMs) * 0.25);
  return within({ fromMs: span.fromMs - marginMs, toMs: span.toMs + marginMs }, endMs);
}

/**
 * The spans as few that don't overlap: what is shaded for several at once is not darker.
 * @param {readonly Span[]} spans
 * @returns {Span[]}
 */
export function united(spans) {
  /** @type {Span[]} */
  const all = [];
  for (const { fromMs, toMs } of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = all.at(-1);
    if (last !== undefined && fromMs <= last.toMs)
      all[all.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) };
    else all.push({ fromMs, toMs });
  }
  return all;
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000,
  600_000, 1_800_000,
];

/**
 * Round times within the span, at most as many as asked for.
 * @param {Span} span
 * @param {number} most
 * @returns {number[]}
 */
export function marks(span, most) {
  const lengthMs = span.toMs - span.fromMs;
  const stepMs =
    STEPS_MS.find((step) => lengthMs / step <= most) ?? 3_600_000 * Math.ceil(lengthMs / most / 3_600_000);
  /** @type {number[]} */
  const all = [];
  for (let atMs = Math.ceil(span.fromMs / stepMs) * stepMs; atMs <= span.toMs; atMs += stepMs) all.push(atMs);
  return all;
}

/**
 * What a link to a moment says: `#t=16000-18000`. Undefined for any other.
 * @param {string} hash
 * @returns {Span | undefined}
 */
export function spanOf(hash) {
  const [, from, to] = /^#t=(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(hash) ?? [];
  return from === undefined || to === undefined ? undefined : { fromMs: Number(from), toMs: Number(to) };
}

/** @param {number} ms */
export const seconds = (ms) => (ms / 1000).toFixed(3);
