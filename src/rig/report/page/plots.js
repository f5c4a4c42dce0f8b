// Latency and rate of the calls, with the faults shaded, over the shared window.

import { CHART_HEIGHT, drawChart, SERIES_COLOURS } from './chart.js';
import { element, oncePerFrame, onNewWidth } from './dom.js';
import { rates } from './rows.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./view.js').View} View */

const MOST_BINS = 200;
/** Shorter than this the rate only says when each call was. */
const SHORTEST_BIN_MS = 500;
/** More of them are a blot, and slow. */
const MOST_POINTS = 6_000;
/**
 * @param {PageData} data
 * @param {View} view
 */
export function mountPlots(data, view) {
  if (data.calls.atMs.length === 0) return;
  const latency = latencies(data);
  const rate = rates(data.calls, {
    endMs: data.endMs,
    bins: Math.max(10, Math.min(MOST_BINS, Math.floor(data.endMs / SHORTEST_BIN_MS))),
  });
  /** @type {import('uplot')[]} */
  let plots = [];
  const make = () => {
    for (const plot of plots) plot.destroy();
    plots = [
      drawChart('latency', data, view, { ...latency, unit: 'ms', logarithmic: true }),
      drawChart('rate', data, view, {
        names: ['answered', 'failed or unknown'],
        bad: 1,
        columns: [rate.atMs.map((atMs) => atMs / 1000), rate.good, rate.bad],
        unit: '/s',
        logarithmic: false,
      }),
    ];
    scale();
  };
  const scale = () => {
    const { fromMs, toMs } = view.span();
    for (const plot of plots) plot.setScale('x', { min: fromMs / 1000, max: toMs / 1000 });
  };
  const resize = oncePerFrame(() => {
    for (const plot of plots)
      plot.setSize({ width: plot.root.parentElement?.clientWidth ?? 300, height: CHART_HEIGHT });
  });
  make();
  view.follow(oncePerFrame(scale));
  onNewWidth(element('latency', HTMLDivElement), resize);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', make);
}

/**
 * A series for each kind of call that went well or was refused, and one for all that went wrong.
 * Of too many that went well every so-manieth is shown.
 * @param {PageData} data
 */
function latencies({ calls, strings }) {
  const wrong = (/** @type {number} */ index) => ![0, 3].includes(calls.outcome[index] ?? 0);
  const every = Math.ceil(calls.atMs.length / MOST_POINTS);
  const shown = [...calls.atMs.keys()].filter((index) => index % every === 0 || wrong(index));
  if (every > 1)
    element('latency-note', HTMLElement).textContent = `; of those that went well one in ${every}`;
  const kinds = [...new Set(calls.operation)].slice(0, SERIES_COLOURS.length);
  /** @param {(index: number) => boolean} belongs */
  const column = (belongs) =>
    shown.map((index) => (belongs(index) ? Math.max(0.1, calls.tookMs[index] ?? 0) : null));
  return {
    names: [...kinds.map((kind) => strings[kind] ?? ''), 'failed or unknown'],
    bad: kinds.length,
    columns: [
      shown.map((index) => (calls.atMs[index] ?? 0) / 1000),
      ...kinds.map((kind) => column((index) => calls.operation[index] === kind && !wrong(index))),
      column(wrong),
    ],
  };
}
