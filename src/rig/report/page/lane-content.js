// What a lane shows of the record: which calls and log lines, and in words what is
// at one place of it.

import { seconds } from './window.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('../page-data.ts').PageLane} PageLane */

/**
 * The calls that a lane shows, by a filter on the columns.
 * @param {PageData} data
 * @param {PageLane} lane
 * @returns {(index: number) => boolean}
 */
function callsOf(data, lane) {
  const { calls } = lane;
  if (calls === undefined) return () => false;
  const column = data.calls[calls.by];
  return (index) => column[index] === calls.is;
}

/**
 * The warnings and errors that a lane marks.
 * @param {PageData} data
 * @param {PageLane} lane
 * @returns {(index: number) => boolean}
 */
export function linesOf(data, lane) {
  const { logs } = lane;
  if (logs === undefined) return () => false;
  return (index) =>
    (data.logs.level[index] ?? 0) >= 2 &&
    data.logs.container[index] === logs.container &&
    data.logs.role[index] === logs.role;
}

/** @typedef {Readonly<Record<'well' | 'refused' | 'wrong', readonly number[]>>} Sorted */

/** @type {WeakMap<PageLane, Sorted>} */
const sortedCalls = new WeakMap();

/** The lane's calls, looked for once. @param {PageData} data @param {PageLane} lane */
export function callsByOutcome(data, lane) {
  const known = sortedCalls.get(lane);
  if (known !== undefined) return known;
  const all = [...data.calls.atMs.keys()].filter(callsOf(data, lane));
  /** @param {(outcome: number) => boolean} belongs */
  const those = (belongs) => all.filter((index) => belongs(data.calls.outcome[index] ?? 0));
  const found = {
    well: those((outcome) => outcome === 0),
    refused: those((outcome) => outcome === 3),
    wrong: those((outcome) => outcome !== 0 && outcome !== 3),
  };
  sortedCalls.set(lane, found);
  return found;
}

/**
 * What is at a place, in words.
 * @param {PageData} data
 * @param {number} index
 * @param {{ readonly atMs: number, readonly nearMs: number }} where
 */
export function inWords(data, index, { atMs, nearMs }) {
  const lane = data.lanes[index];
  if (lane === undefined) return '';
  /** @type {string[]} */
  const found = [];
  const { refused, wrong } = callsByOutcome(data, lane);
  for (const call of [...wrong, ...refused]) {
    const fromMs = data.calls.atMs[call] ?? 0;
    if (found.length >= 6) break;
    if (fromMs - nearMs > atMs || fromMs + (data.calls.tookMs[call] ?? 0) + nearMs < atMs) continue;
    const outcome = ['ok', 'failed', 'unknown outcome', 'refused', 'never ended'][
      data.calls.outcome[call] ?? 0
    ];
    const took = Math.round(data.calls.tookMs[call] ?? 0);
    found.push(`${seconds(fromMs)} s, ${took} ms: ${outcome}, ${data.strings[data.calls.detail[call] ?? 0]}`);
  }
  const said = linesOf(data, lane);
  data.logs.atMs.forEach((lineMs, line) => {
    if (found.length >= 6 || Math.abs(lineMs - atMs) > nearMs || !said(line)) return;
    found.push(`${seconds(lineMs)} s ${data.logs.text[line]?.slice(0, 240)}`);
  });
  for (const [fromMs, toMs, , text] of lane.bars) {
    if (found.length >= 6 || fromMs - nearMs > atMs || toMs + nearMs < atMs) continue;
    found.push(`${seconds(fromMs)}–${seconds(toMs)} s: ${data.strings[text]}`);
  }
  return found.length === 0 ? '' : [lane.label, ...found].join('\n');
}
