// The run as a drawing: a lane for each faulted container, one for the leader,
// one for each volume and each client, over one time axis.

import { calls } from '../checks/calls.ts';
import { reigns } from '../checks/leader-history.ts';
import { endMs, outages } from '../checks/outages.ts';
import { volumeSteps } from '../checks/volume-history.ts';
import type { Operation, RecordedRun } from '../history.ts';
import { escapeHtml } from './escape.ts';

const WIDTH = 1040;
const LABEL_WIDTH = 150;
/** Room for half of the last label of the axis. */
const RIGHT_MARGIN = 24;
const LANE_HEIGHT = 22;
const AXIS_HEIGHT = 24;
/** Calls that went wrong are drawn one by one, with a tooltip; the rest of a lane is one path. */
const MOST_TOOLTIPS = 300;
const MOST_VOLUMES = 24;

interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly style: string;
  readonly text: string;
  /** The tooltip; `text` when left out. */
  readonly title?: string;
}

interface Lane {
  readonly label: string;
  readonly bars: readonly Bar[];
  /** Times of what went well. */
  readonly ticks?: readonly number[];
}

/** One SVG element; its colours are classes of styles.ts. */
export function timeline(run: RecordedRun): string {
  const lastMs = Math.max(1, endMs(run));
  const scale: Scale = (atMs) =>
    LABEL_WIDTH + (Math.min(Math.max(atMs, 0), lastMs) / lastMs) * (WIDTH - LABEL_WIDTH - RIGHT_MARGIN);
  const lanes = [...faultLanes(run), leaderLane(run), ...volumeLanes(run), ...clientLanes(run)];
  const height = lanes.length * LANE_HEIGHT + AXIS_HEIGHT;
  const shades = outages(run).map(
    (outage) =>
      `<rect class="shade" x="${px(scale(outage.fromMs))}" y="0" width="${px(scale(outage.toMs) - scale(outage.fromMs))}" height="${height - AXIS_HEIGHT}"/>`,
  );
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Time line of the run">`,
    ...shades,
    ...lanes.map((lane, index) => drawLane(lane, index * LANE_HEIGHT, scale)),
    axis({ lastMs, top: lanes.length * LANE_HEIGHT, scale }),
    '</svg>',
  ].join('\n');
}

type Scale = (atMs: number) => number;
const px = (value: number): string => value.toFixed(1);

function faultLanes(run: RecordedRun): readonly Lane[] {
  const all = outages(run);
  return [...new Set(all.map((outage) => outage.container))].map((container) => ({
    label: `fault ${container}`,
    bars: all
      .filter((outage) => outage.container === container)
      .map((outage) => ({
        fromMs: outage.fromMs,
        toMs: outage.toMs,
        style: 'fault',
        text: outage.role === undefined ? outage.kind : `${outage.role} ${outage.kind}`,
      })),
  }));
}

function leaderLane(run: RecordedRun): Lane {
  const nodes = run.topology.nodes.map((node) => node.name);
  const bars = reigns(run).map((reign) => ({
    fromMs: reign.created.atMs,
    toMs: reign.deleted?.atMs ?? Number.POSITIVE_INFINITY,
    style: `leader-${Math.max(0, nodes.indexOf(reign.node ?? '')) % 4}`,
    text: reign.node ?? 'malformed',
    title: `${reign.node ?? 'malformed'} leads, term ${reign.term}`,
  }));
  return { label: 'leader', bars };
}

function volumeLanes(run: RecordedRun): readonly Lane[] {
  const byVolume = Map.groupBy(volumeSteps(run), (step) => step.id);
  return [...byVolume].slice(0, MOST_VOLUMES).map(([id, steps]) => {
    const name = steps.findLast((step) => step.after !== undefined)?.after?.name;
    const bars = steps.flatMap((step, index): readonly Bar[] => {
      if (step.after === undefined) return [];
      const { state, node } = step.after;
      const toMs = steps[index + 1]?.event.atMs ?? Number.POSITIVE_INFINITY;
      const where = node === null ? '' : ` on ${node}`;
      const title = `${state}${where}, revision ${step.event.revision}`;
      return [{ fromMs: step.event.atMs, toMs, style: `state-${state}`, text: `${state}${where}`, title }];
    });
    return { label: name === undefined ? id : `volume ${name}`, bars: joined(bars) };
  });
}

/** Neighbours that look the same become one bar. */
function joined(bars: readonly Bar[]): readonly Bar[] {
  const all: Bar[] = [];
  for (const bar of bars) {
    const last = all.at(-1);
    if (last?.text === bar.text && last.toMs === bar.fromMs)
      all[all.length - 1] = { ...last, toMs: bar.toMs };
    else all.push(bar);
  }
  return all;
}

function clientLanes(run: RecordedRun): readonly Lane[] {
  // Probes have a process for every call at once; a lane for each of their nodes is enough.
  const byProcess = Map.groupBy(calls(run), (call) => call.process.split(' ').slice(0, 2).join(' '));
  return [...byProcess].map(([process, all]) => {
    const wrong = all.filter(({ completion }) => completion?.phase !== 'ok').slice(0, MOST_TOOLTIPS);
    const bars = wrong.map(({ invokedMs, completion, operation }): Bar => {
      const what = describeOperation(operation);
      const outcome = completion?.refused === true ? 'refused' : (completion?.phase ?? 'no end');
      const detail = completion?.error ?? completion?.status ?? '';
      return {
        fromMs: invokedMs,
        toMs: completion?.atMs ?? Number.POSITIVE_INFINITY,
        style: `call-${outcome === 'no end' ? 'info' : outcome}`,
        text: '',
        title: `${what}: ${outcome} ${detail}`.trim(),
      };
    });
    const ticks = all
      .filter(({ completion }) => completion?.phase === 'ok')
      .map(({ invokedMs }) => invokedMs);
    return { label: process, bars, ticks };
  });
}

function describeOperation(operation: Operation): string {
  if (operation.kind === 'http') return `${operation.method} ${operation.path}`;
  return `${operation.kind} ${operation.file}`;
}

function drawLane(lane: Lane, top: number, scale: Scale): string {
  const ticks = [...new Set((lane.ticks ?? []).map((atMs) => px(scale(atMs))))];
  return [
    `<line class="rule" x1="0" x2="${WIDTH}" y1="${top + LANE_HEIGHT}" y2="${top + LANE_HEIGHT}"/>`,
    `<text class="label" x="0" y="${top + 15}">${escapeHtml(clipped(lane.label, 22))}</text>`,
    ticks.length === 0
      ? ''
      : `<path class="call-ok" d="${ticks.map((x) => `M${x} ${top + 6}v10`).join('')}"/>`,
    ...lane.bars.map((bar) => drawBar(bar, top, scale)),
  ].join('');
}

function drawBar(bar: Bar, top: number, scale: Scale): string {
  const left = scale(bar.fromMs);
  const width = Math.max(2, scale(bar.toMs) - left);
  const fits = bar.text.length * 6.2 + 8 < width;
  const text = fits
    ? `<text class="bar" x="${px(left + 5)}" y="${top + 15}">${escapeHtml(bar.text)}</text>`
    : '';
  const rect = `<rect class="${bar.style}" x="${px(left)}" y="${top + 3}" width="${px(width)}" height="${LANE_HEIGHT - 6}" rx="2"/>`;
  const end = bar.toMs === Number.POSITIVE_INFINITY ? 'end' : `${(bar.toMs / 1000).toFixed(2)} s`;
  const title = `${bar.title ?? bar.text} (${(bar.fromMs / 1000).toFixed(2)} s – ${end})`;
  return `<g><title>${escapeHtml(title)}</title>${rect}${text}</g>`;
}

const clipped = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

function axis(options: { readonly lastMs: number; readonly top: number; readonly scale: Scale }): string {
  const { lastMs, top, scale } = options;
  const stepMs =
    [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000].find(
      (step) => lastMs / step <= 12,
    ) ?? 3_600_000;
  const marks: string[] = [];
  for (let atMs = 0; atMs <= lastMs; atMs += stepMs) {
    const x = px(scale(atMs));
    marks.push(`<line class="rule" x1="${x}" x2="${x}" y1="0" y2="${top + 4}"/>`);
    marks.push(`<text class="axis" x="${x}" y="${top + 17}">${atMs / 1000} s</text>`);
  }
  return marks.join('');
}
