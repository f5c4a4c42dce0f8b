// One plot of the shared window, as uPlot draws it.

import { colours, element } from './dom.js';
import { united } from './window.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./view.js').View} View */
/**
 * @typedef {{ readonly names: readonly string[], readonly bad: number, readonly columns: (number | null)[][],
 *   readonly unit: string, readonly logarithmic: boolean }} Plotted
 */

/** uPlot comes from its own script, ahead of this one. */
/** @type {typeof import('uplot')} */
// @ts-expect-error: a global of the page.
const Plot = uPlot;

export const CHART_HEIGHT = 220;
export const SERIES_COLOURS = ['plot-0', 'plot-1', 'plot-2', 'plot-3', 'plot-4', 'plot-5'];

/** @param {string} id @param {PageData} data @param {View} view @param {Plotted} what */
export function drawChart(id, data, view, what) {
  const colour = colours();
  const target = element(id, HTMLDivElement);
  return new Plot(
    {
      width: target.clientWidth,
      height: CHART_HEIGHT,
      cursor: { sync: { key: 'run' }, drag: { x: true, y: false, setScale: false } },
      scales: {
        x: { time: false },
        y: what.logarithmic ? { distr: 3 } : { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] },
      },
      axes: axesOf(what, colour),
      series: [
        { label: 'time', value: (_plot, value) => (value === null ? '–' : `${value.toFixed(3)} s`) },
        ...seriesOf(what, colour),
      ],
      hooks: {
        drawClear: [(plot) => shadeFaults(plot, data, colour('shade'))],
        setSelect: [(plot) => showSelected(plot, view)],
      },
    },
    /** @type {import('uplot').AlignedData} */ (/** @type {unknown} */ (what.columns)),
    target,
  );
}

/** @typedef {(name: string) => string} Colour */

/** @param {Plotted} what @param {Colour} colour @returns {import('uplot').Axis[]} */
function axesOf({ unit }, colour) {
  const axis = {
    stroke: colour('faint'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
  return [
    { ...axis, values: (_plot, splits) => splits.map((split) => `${split} s`) },
    {
      ...axis,
      size: 74,
      values: (_plot, splits) => splits.map((split) => (split === null ? '' : `${split} ${unit}`)),
    },
  ];
}

/** @param {Plotted} what @param {Colour} colour @returns {import('uplot').Series[]} */
function seriesOf({ names, bad, unit, logarithmic }, colour) {
  return names.map((label, index) => {
    const stroke = colour(index === bad ? 'bad' : (SERIES_COLOURS[index] ?? 'faint'));
    /** @type {import('uplot').Series} */
    const series = {
      label,
      stroke,
      width: 1.5,
      value: (_plot, value) => (value == null ? '–' : `${Math.round(value * 10) / 10} ${unit}`),
    };
    return logarithmic
      ? {
          ...series,
          paths: () => null,
          points: { show: true, size: index === bad ? 7 : 4, fill: stroke },
        }
      : { ...series, points: { show: false } };
  });
}

/** @param {import('uplot')} plot @param {PageData} data @param {string} shade */
function shadeFaults(plot, data, shade) {
  plot.ctx.fillStyle = shade;
  for (const { fromMs, toMs } of united(data.faults)) {
    const { left, width, top, height } = plot.bbox;
    const from = Math.max(left, plot.valToPos(fromMs / 1000, 'x', true));
    const to = Math.min(left + width, plot.valToPos(toMs / 1000, 'x', true));
    if (to > from) plot.ctx.fillRect(from, top, Math.max(1, to - from), height);
  }
}

/** @param {import('uplot')} plot @param {View} view */
function showSelected(plot, view) {
  const { left, width } = plot.select;
  if (width < 3) return;
  view.show({
    fromMs: plot.posToVal(left, 'x') * 1000,
    toMs: plot.posToVal(left + width, 'x') * 1000,
  });
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}
