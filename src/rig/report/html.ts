// report.html: one self-contained page that says first whether the run was good
// and why not, and then shows what was recorded. Nothing is fetched, and what
// was recorded can neither become markup nor run.

import type { RecordedRun } from '../history.ts';
import { banner, headOf } from './banner.ts';
import { pageData } from './data.ts';
import { embeddedJson, escapeHtml } from './escape.ts';
import { findings } from './findings.ts';
import { mountSights } from './mount-sights.ts';
import type { PageData } from './page-data.ts';
import { checksTable, expectationsTable, LEGEND, searchTable, sightsSection } from './sections.ts';
import { STYLES } from './styles.ts';
import type { ScenarioResult } from './verdict.ts';

/** What the page runs, and what it looks like, besides its own styles. */
export interface PageAssets {
  /** The text of each script element, in order. None contains `</script`. */
  readonly scripts: readonly {
    readonly text: string /** SHA-256 of the text, in Base64. */;
    readonly sha256: string;
  }[];
  readonly styles: string;
}

/** The text of report.html. */
export function reportHtml(options: {
  readonly run: RecordedRun;
  readonly result: ScenarioResult;
  readonly assets: PageAssets;
}): string {
  const { run, result, assets } = options;
  const found = findings(run, result.verdicts);
  const data = pageData(run, found);
  const hashes = assets.scripts.map(({ sha256 }) => `'sha256-${sha256}'`).join(' ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${headOf(run, result)}: ${result.scenario}`)}</title>
<style>${assets.styles}${STYLES}</style>
</head>
<body>
${banner({ run, result, found })}
<main>
<h2 id="timeline-title">Time line</h2>
${timelineSection(data)}
<h2>Latency and rate</h2>
${plotsSection(data)}
<h2>Checks</h2>
${checksTable(result.verdicts)}
<h2>Expectations</h2>
${expectationsTable(run)}
${sightsSection(mountSights(run))}
<h2>Volumes</h2>
${volumesSection(run, data)}
<h2 id="logs-title">Logs</h2>
${searchTable({ name: 'logs', columns: ['Time (s)', 'Container', 'Level', 'Line'], numeric: 1, controls: logControls(run) })}
${leftOut({ what: 'log lines', where: 'logs/', here: data.logs.atMs.length, total: data.logs.total })}
<h2>etcd events</h2>
${searchTable({ name: 'etcd', columns: ['Time (s)', 'Revision', 'Kind', 'Key', 'Value'], numeric: 2, controls: '' })}
${leftOut({ what: 'events', where: 'etcd-events.jsonl', here: data.etcd.atMs.length, total: data.etcd.total })}
</main>
<script type="application/json" id="record">${embeddedJson(data)}</script>
${assets.scripts.map(({ text }) => `<script>${text}</script>`).join('\n')}
</body>
</html>
`;
}

const KEYS = [
  ['+', 'Zoom in', '+'],
  ['-', 'Zoom out', '−'],
  ['ArrowLeft', 'Earlier', '←'],
  ['ArrowRight', 'Later', '→'],
  ['0', 'The whole run', 'All'],
  ['p', 'What went wrong before', '‹ trouble'],
  ['n', 'What went wrong next', 'trouble ›'],
] as const;

function timelineSection(data: PageData): string {
  const buttons = KEYS.map(
    ([key, title, text]) =>
      `<button type="button" data-key="${key}" title="${title} (${key})" aria-label="${title}">${text}</button>`,
  );
  const volumes = data.lanes.filter(({ group }) => group === 'volume').length;
  const more =
    volumes < data.volumes.length
      ? `<p class="faint">${volumes} volumes have a lane, those with errors first.</p>`
      : '';
  return `<div class="controls" id="timeline-controls">${buttons.join('')}<output id="said" class="faint"></output></div>
<div class="lanes"><canvas id="timeline" tabindex="0" role="img" aria-label="Time line of the run: faults, nodes and their roles, clients, volumes. Plus and minus zoom, the arrows move, n and p go to what went wrong."></canvas><div id="selection" hidden></div><div id="tip" hidden></div></div>
${LEGEND}
<p class="faint hint">Drag to zoom, double-click for the whole run, click a place for its log lines. Keys: + − ← → 0, n and p. Plots, logs and events follow the window.</p>
${more}${leftOut({ what: 'calls', where: 'history.jsonl', here: data.calls.atMs.length, total: data.calls.total })}`;
}

function plotsSection(data: PageData): string {
  if (data.calls.total === 0) return '<p class="faint">No call was recorded.</p>';
  return '<figure><figcaption>Latency of each call, logarithmic<span id="latency-note"></span></figcaption><div id="latency"></div></figure>\n<figure><figcaption>Calls that ended, a second</figcaption><div id="rate"></div></figure>';
}

function volumesSection(run: RecordedRun, data: PageData): string {
  const total = new Set(run.etcd.filter(({ key }) => key.includes('/volumes/')).map(({ key }) => key)).size;
  if (total === 0)
    return '<p class="faint">There was none.</p>\n<div hidden><input id="volumes-search"></div><div id="volumes"></div>';
  return `<div class="controls"><input id="volumes-search" type="search" placeholder="name or id" aria-label="Search volumes"></div><div id="volumes"></div>
${leftOut({ what: 'volumes', where: 'etcd-events.jsonl', here: data.volumes.length, total })}`;
}

function logControls(run: RecordedRun): string {
  const containers = [...new Set(run.logs.map((line) => line.container))].sort();
  const options = containers.map((name) => `<option>${escapeHtml(name)}</option>`).join('');
  return `<select id="logs-level" aria-label="Least level"><option>debug</option><option selected>info</option><option>warn</option><option>error</option></select><select id="logs-container" aria-label="Container"><option value="">all containers</option>${options}</select>`;
}

function leftOut(part: {
  readonly what: string;
  readonly where: string;
  readonly here: number;
  readonly total: number;
}): string {
  const { what, where, here, total } = part;
  if (here >= total) return '';
  return `<p class="faint">${total - here} of ${total} ${what} are left out here; what went wrong and what is nearest to it stayed. All of them are in <code>${where}</code>.</p>`;
}
