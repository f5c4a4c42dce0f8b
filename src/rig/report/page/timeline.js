// The time line: a canvas that is zoomed and moved by pointer, keyboard and buttons.

import { colours, element, oncePerFrame, onNewWidth } from './dom.js';
import { AXIS_HEIGHT, drawTimeline } from './draw.js';
import { LANE_HEIGHT } from './draw-lane.js';
import { mountKeys } from './keys.js';
import { mountPointer } from './pointer.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./view.js').View} View */

/**
 * @param {PageData} data
 * @param {View} view
 */
export function mountTimeline(data, view) {
  const canvas = element('timeline', HTMLCanvasElement);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const height = data.lanes.length * LANE_HEIGHT + AXIS_HEIGHT;
  const labelWidth = () => (canvas.clientWidth < 600 ? 92 : 150);
  const draw = oncePerFrame(() => {
    const width = canvas.clientWidth;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    drawTimeline(context, data, { width, labelWidth: labelWidth(), span: view.span(), colour: colours() });
    canvas.dataset.drawn = `${Math.round(view.span().fromMs)}-${Math.round(view.span().toMs)}`;
  });
  canvas.style.height = `${height}px`;
  view.follow(draw);
  onNewWidth(canvas, draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);

  /** @param {number} x */
  const timeAt = (x) => {
    const { fromMs, toMs } = view.span();
    return fromMs + ((x - labelWidth()) / (canvas.clientWidth - labelWidth())) * (toMs - fromMs);
  };
  const msPerPx = () =>
    (view.span().toMs - view.span().fromMs) / Math.max(1, canvas.clientWidth - labelWidth());
  mountPointer(canvas, { data, view, timeAt, msPerPx });
  mountKeys(canvas, data, view);
  draw();
}
