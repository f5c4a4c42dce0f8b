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
  starved: 'sand',
  leads: 'violet',
  registered: 'grey',
  'state-ready': 'green',
  'state-error': 'bad',
  'state-deleting': 'grey',
  'state-scheduling': 'sand',
  'state-pending': 'sand',
};

/** Drawn over the colour, where that alone would be taken for another's. */
const HATCHED = new Set(['starved']);

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
    const styled = data.strings[style] ?? '';
    const name = /** @type {Record<string, string>} */ (STYLE_COLOURS)[styled] ?? 'blue';
    context.fillStyle = colour(name);
    context.fillRect(left, top + 3, width, LANE_HEIGHT - 6);
    if (HATCHED.has(styled)) hatch(context, { left, top: top + 3, width, colour: colour('doubt') });
    const label = data.strings[text] ?? '';
    // A beginning of less than a word says nothing.
    if (width < Math.min(60, label.length * 6 + 8)) continue;
    const shown = fitting(context, label, width - 8);
    if (HATCHED.has(styled))
      context.fillRect(left, top + 3, context.measureText(shown).width + 8, LANE_HEIGHT - 6);
    context.fillStyle = colour(name === 'bad' ? 'paper' : 'ink');
    context.fillText(shown, left + 4, top + 14);
  }
}

/**
 * Stripes over a bar.
 * @param {CanvasRenderingContext2D} context
 * @param {{ readonly left: number, readonly top: number, readonly width: number, readonly colour: string }} bar
 */
function hatch(context, { left, top, width, colour }) {
  const height = LANE_HEIGHT - 6;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.beginPath();
  for (let x = left - height; x < left + width; x += 6) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.lineWidth = 2;
  context.strokeStyle = colour;
  context.stroke();
  context.restore();
}

/** @param {CanvasRenderingContext2D} context @param {PageData} data @param {Row} row */
function drawCalls(context, data, { lane, top, scene }) {
  if (lane.calls === undefined) return;
  const { calls } = data;
  const { well, refused, wrong } = callsByOutcome(data, lane);
  let last = -1;
  // What went wrong is drawn last, over the rest.
  for (const index of [...well, ...refused, ...wrong]) {
    const outcome = calls.outcome[index] ?? 0;
    const atMs = calls.atMs[index] ?? 0;
    const toMs = atMs + (calls.tookMs[index] ?? 0);
    // What began before the window may end in it.
    if (toMs < scene.span.fromMs || atMs > scene.span.toMs) continue;
    const x = Math.floor(xOf(scene, atMs));
    if (outcome === 0 && x === last) continue;
    last = outcome === 0 ? x : last;
    context.fillStyle = scene.colour(OUTCOME_COLOURS[outcome] ?? 'doubt');
    const isAnswer = outcome === 0 || outcome === 3;
    const high = isAnswer ? 8 : 14;
    const width = Math.max(isAnswer ? 1 : 3, xOf(scene, toMs) - x);
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
