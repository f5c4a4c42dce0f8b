// What of the embedded columns is shown: pure.

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./window.js').Span} Span */

/**
 * The first index whose time is not before `atMs`; the column is in order.
 * @param {readonly number[]} column
 * @param {number} atMs
 */
export function firstAt(column, atMs) {
  let low = 0;
  let high = column.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (/** @type {number} */ (column[middle]) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Indices of the rows in the span of which `matches` is true.
 * @param {readonly number[]} atMs a column in order
 * @param {Span} span
 * @param {(index: number) => boolean} matches
 * @returns {number[]}
 */
export function rowsIn(atMs, span, matches) {
  /** @type {number[]} */
  const all = [];
  for (let index = firstAt(atMs, span.fromMs); index < atMs.length; index += 1) {
    if (/** @type {number} */ (atMs[index]) > span.toMs) break;
    if (matches(index)) all.push(index);
  }
  return all;
}

/**
 * True for a text in which every word occurs, in whatever case.
 * @param {string} words
 * @returns {(text: string) => boolean}
 */
export function searcher(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return (text) => {
    if (wanted.length === 0) return true;
    const lower = text.toLowerCase();
    return wanted.every((word) => lower.includes(word));
  };
}

/**
 * How many calls ended a second, by bins of equal length: those that went well, and those that didn't.
 * @param {PageData['calls']} calls
 * @param {{ readonly endMs: number, readonly bins: number }} how
 */
export function rates(calls, { endMs, bins }) {
  const binMs = endMs / bins;
  const atMs = Array.from({ length: bins }, (_, bin) => (bin + 0.5) * binMs);
  const good = Array.from({ length: bins }, () => 0);
  const bad = Array.from({ length: bins }, () => 0);
  calls.atMs.forEach((invokedMs, index) => {
    const bin = Math.min(bins - 1, Math.floor((invokedMs + (calls.tookMs[index] ?? 0)) / binMs));
    const into = calls.outcome[index] === 0 || calls.outcome[index] === 3 ? good : bad;
    into[bin] = (into[bin] ?? 0) + 1000 / binMs;
  });
  return { atMs, good, bad };
}

/**
 * Times of what went wrong: calls that failed or whose end nobody knows, and error lines.
 * @param {PageData} data
 */
export function troubles(data) {
  const calls = data.calls.atMs.filter((_, index) => [1, 2, 4].includes(data.calls.outcome[index] ?? 0));
  const lines = data.logs.atMs.filter((_, index) => data.logs.level[index] === 3);
  return [...calls, ...lines].sort((a, b) => a - b);
}
