// Draws the time line for one window: axis, faults, labels and lanes.

import { drawLane, fitting, LANE_HEIGHT, xOf } from './draw-lane.js';
import { marks, united } from './window.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./draw-lane.js').Scene} Scene */

export const AXIS_HEIGHT = 22;

/**
 * @param {CanvasRenderingContext2D} context
 * @param {PageData} data
 * @param {Scene} scene
 */
export function drawTimeline(context, data, scene) {
  const { width, labelWidth, colour } = scene;
  const height = data.lanes.length * LANE_HEIGHT + AXIS_HEIGHT;
  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(labelWidth, 0, width - labelWidth, height);
  context.clip();
  context.fillStyle = colour('shade');
  for (const { fromMs, toMs } of united(data.faults)) {
    const x = xOf(scene, fromMs);
    context.fillRect(x, 0, Math.max(1, xOf(scene, toMs) - x), height - AXIS_HEIGHT);
  }
  drawAxis(context, scene, height);
  data.lanes.forEach((lane, index) => {
    drawLane(context, data, { lane, top: index * LANE_HEIGHT, scene });
  });
  context.restore();
  drawLabels(context, data, scene);
}

/** @param {CanvasRenderingContext2D} context @param {Scene} scene @param {number} height */
function drawAxis(context, scene, height) {
  const { width, labelWidth, span, colour } = scene;
  context.font = '11px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  const all = marks(span, Math.max(2, (width - labelWidth) / 80));
  const step = (all[1] ?? 1000) - (all[0] ?? 0);
  const digits = step >= 1000 ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : 3;
  for (const atMs of all) {
    const x = Math.round(xOf(scene, atMs)) + 0.5;
    context.fillStyle = colour('line');
    context.fillRect(x - 0.5, 0, 1, height - AXIS_HEIGHT + 4);
    context.fillStyle = colour('faint');
    context.fillText(
      `${(atMs / 1000).toFixed(digits)} s`,
      Math.min(Math.max(x, labelWidth + 18), width - 20),
      height - 6,
    );
  }
}

/** @param {CanvasRenderingContext2D} context @param {PageData} data @param {Scene} scene */
function drawLabels(context, data, { width, labelWidth, colour }) {
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'left';
  data.lanes.forEach(({ label, group }, index) => {
    const top = index * LANE_HEIGHT;
    const first = index === 0 || data.lanes[index - 1]?.group !== group;
    context.fillStyle = colour('line');
    if (first || group === 'node') context.fillRect(0, top, width, 1);
    context.fillStyle = colour(group === 'role' ? 'faint' : 'ink');
    const indent = group === 'role' ? 12 : 0;
    context.fillText(
      fitting(
        context,
        group === 'role' ? label.slice(label.lastIndexOf(' ') + 1) : label,
        labelWidth - 8 - indent,
      ),
      indent,
      top + 14,
    );
  });
}
