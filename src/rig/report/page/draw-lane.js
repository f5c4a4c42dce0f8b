// Draws what is in one lane: its bars, its calls, its warnings and errors.

import { callsByOutcome, linesOf } from './lane-content.js';
import { firstAt } from './rows.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('../page-data.ts').PageLane} PageLane */
/** @typedef {import('./window.js').Span} Span */
/** @typedef {{ readonly width: number, readonly labelWidth: number, readonly span: Span, readonly colour: (name: string) => string }} Scene */
/** @typedef {{ readonly lane: PageLane, readonly top: number, readonly scene: Scene }} Row */

export const LANE_HEIGHT = 20;

const STYLE_COLOURS = {
  fault: 'rose',
  busy: 'sand',
  starved: 'bad',
  leads: 'violet',
  registered: 'grey',
  'state-ready': 'green',
  'state-error': 'bad',
  'state-deleting': 'grey',
  'state-scheduling': 'sand',
  'state-pending': 'sand',
};

/** Of what is no `ok`, by the number of its outcome. */
const OUTCOME_COLOURS = ['good', 'bad', 'doubt', 'faint', 'doubt'];

/**
 * Where a time is.
 * @param {Scene} scene
 * @param {number} atMs
 */
export function xOf({ width, labelWidth, span }, atMs) {
  return labelWidth + ((atMs - span.fromMs) / (span.toMs - span.fromMs)) * (width - labelWidth);
}

/** @param {CanvasRenderingContext2D} context @param {PageData} data @param {Row} row */
export function drawLane(context, data, row) {
  drawBars(context, data, row);
  drawCalls(context, data, row);
  drawLines(context, data, row);
}

/** @param {CanvasRenderingContext2D} context @param {PageData} data @param {Row} row */
function drawBars(context, data, { lane, top, scene }) {
  const { span, colour, labelWidth } = scene;
  context.textAlign = 'left';
  for (const [fromMs, toMs, style, text] of lane.bars) {
    if (toMs < span.fromMs || fromMs > span.toMs) continue;
    const left = Math.max(labelWidth, xOf(scene, fromMs));
    const width = Math.max(2, Math.min(scene.width, xOf(scene, toMs)) - left);
    const name = /** @type {Record<string, string>} */ (STYLE_COLOURS)[data.strings[style] ?? ''] ?? 'blue';
    context.fillStyle = colour(name);
    context.fillRect(left, top + 3, width, LANE_HEIGHT - 6);
    const label = data.strings[text] ?? '';
    // A beginning of less than a word says nothing.
    if (width < Math.min(60, label.length * 6 + 8)) continue;
    context.fillStyle = colour(name === 'bad' ? 'paper' : 'ink');
    context.fillText(fitting(context, label, width - 8), left + 4, top + 14);
  }
}

/** @param {CanvasRenderingContext2D} context @param {PageData} data @param {Row} row */
function drawCalls(context, data, { lane, top, scene }) {
  if (lane.calls === undefined) return;
  const { calls } = data;
  const { well, wrong } = callsByOutcome(data, lane);
  let last = -1;
  // What went wrong is drawn last, over the rest.
  for (const index of [...well, ...wrong]) {
    const outcome = calls.outcome[index] ?? 0;
    const atMs = calls.atMs[index] ?? 0;
    const toMs = atMs + (calls.tookMs[index] ?? 0);
    // What began before the window may end in it.
    if (toMs < scene.span.fromMs || atMs > scene.span.toMs) continue;
    const x = Math.floor(xOf(scene, atMs));
    if (outcome === 0 && x === last) continue;
    last = outcome === 0 ? x : last;
    context.fillStyle = scene.colour(OUTCOME_COLOURS[outcome] ?? 'doubt');
    const high = outcome === 0 ? 8 : 14;
    const width = Math.max(outcome === 0 ? 1 : 3, xOf(scene, toMs) - x);
    context.fillRect(x, top + (LANE_HEIGHT - high) / 2, width, high);
  }
}

/** @param {CanvasRenderingContext2D} context @param {PageData} data @param {Row} row */
function drawLines(context, data, { lane, top, scene }) {
  if (lane.logs === undefined) return;
  const { logs } = data;
  const shown = linesOf(data, lane);
  for (let index = firstAt(logs.atMs, scene.span.fromMs); index < logs.atMs.length; index += 1) {
    const atMs = logs.atMs[index] ?? 0;
    if (atMs > scene.span.toMs) break;
    if (!shown(index)) continue;
    const x = xOf(scene, atMs);
    context.fillStyle = scene.colour(logs.level[index] === 3 ? 'bad' : 'doubt');
    context.beginPath();
    context.moveTo(x, top + 4);
    context.lineTo(x + 4, top + LANE_HEIGHT - 5);
    context.lineTo(x - 4, top + LANE_HEIGHT - 5);
    context.fill();
  }
}

/** Cut so that it is no wider. @param {CanvasRenderingContext2D} context @param {string} text @param {number} width */
export function fitting(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let length = text.length - 1;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) length -= 1;
  return `${text.slice(0, length)}…`;
}
