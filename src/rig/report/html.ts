// report.html: one self-contained page that says first whether the run was good
// and why not, and then shows all that was recorded. Nothing is fetched.

import { describeStep, volumeSteps } from '../checks/volume-history.ts';
import type { ExpectationEvent, RecordedRun, Verdict } from '../history.ts';
import { embeddedJson, escapeHtml } from './escape.ts';
import { SEARCH_SCRIPT } from './search.ts';
import { STYLES } from './styles.ts';
import { timeline } from './timeline.ts';
import { commandOf, type ScenarioResult } from './verdict.ts';

/** The text of report.html. */
export function reportHtml(options: { readonly run: RecordedRun; readonly result: ScenarioResult }): string {
  const { run, result } = options;
  const title = `${result.scenario}: ${result.verdict}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLES}</style>
</head>
<body>
${banner(result)}
<h2>Time line</h2>
<div class="scroll">${timeline(run)}</div>
${LEGEND}
<h2>Checks</h2>
${checksTable(result.verdicts)}
<h2>Expectations</h2>
${expectationsTable(run.history.filter((event) => event.type === 'expectation'))}
<h2>Volumes</h2>
${volumeHistories(run)}
<h2>etcd events</h2>
${searchTable({ name: 'etcd', columns: ['Time (s)', 'Revision', 'Kind', 'Key', 'Value'], numeric: 2, controls: '' })}
<h2>Logs</h2>
${searchTable({ name: 'logs', columns: ['Time (s)', 'Container', 'Level', 'Line'], numeric: 1, controls: logControls(run) })}
<script type="application/json" id="record">${embeddedJson({ etcd: run.etcd, logs: run.logs })}</script>
<script>${SEARCH_SCRIPT}</script>
</body>
</html>
`;
}

function banner(result: ScenarioResult): string {
  const bad = result.verdicts
    .filter(({ verdict }) => verdict !== 'valid')
    .sort((a, b) => (a.verdict < b.verdict ? -1 : a.verdict > b.verdict ? 1 : 0));
  const good = result.verdicts.length - bad.length;
  return `<header class="banner ${result.verdict}">
<h1>${escapeHtml(result.scenario)} is <span class="verdict">${result.verdict}</span></h1>
<div class="faint">${good} of ${result.verdicts.length} checks valid · seed ${result.seed} · ${(result.elapsedMs / 1000).toFixed(1)} s · <code>${escapeHtml(commandOf(result))}</code></div>
${bad.map(finding).join('\n')}
</header>`;
}

function finding({ check, verdict, reason, counterExample = [] }: Verdict): string {
  const lines = counterExample.length === 0 ? '' : `<pre>${escapeHtml(counterExample.join('\n'))}</pre>`;
  return `<section class="finding ${verdict}"><p><strong>${escapeHtml(check)}</strong> <span class="pill">${verdict}</span><br>${escapeHtml(reason)}</p>${lines}</section>`;
}

const LEGEND = `<p class="legend faint">${[
  ['fault', 'fault'],
  ['state-ready', 'ready'],
  ['state-scheduling', 'scheduling, pending'],
  ['state-resizing', 'resizing, moving, cloning'],
  ['call-fail', 'failed call'],
  ['call-info', 'call of unknown outcome'],
  ['call-refused', 'refused call'],
]
  .map(
    ([style, text]) =>
      `<span><svg class="swatch" viewBox="0 0 10 10"><rect class="${style}" width="10" height="10" rx="2"/></svg>${text}</span>`,
  )
  .join('')}</p>`;

function checksTable(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '<p class="faint">No check was asked for.</p>';
  const rows = verdicts.map(
    ({ check, verdict, reason }) =>
      `<tr class="${verdict}"><td class="tight">${escapeHtml(check)}</td><td><span class="pill">${verdict}</span></td><td>${escapeHtml(reason)}</td></tr>`,
  );
  return `<div class="scroll"><table><thead><tr><th>Check</th><th>Verdict</th><th>Why</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

const TONES = { met: 'valid', missed: 'invalid', unseen: 'unknown' } as const;

function expectationsTable(events: readonly ExpectationEvent[]): string {
  if (events.length === 0) return '<p class="faint">The run came to none.</p>';
  const rows = events.map((event) => {
    const late = (event.measuredMs ?? 0) > (event.boundMs ?? Number.POSITIVE_INFINITY);
    const tone = late && event.outcome === 'met' ? 'invalid' : TONES[event.outcome];
    const share = Math.min(100, (100 * (event.measuredMs ?? 0)) / Math.max(1, event.boundMs ?? 0));
    const bar = event.boundMs ? `<div class="bound"><i style="width:${share.toFixed(0)}%"></i></div>` : '';
    return `<tr class="${tone}"><td class="number">${(event.atMs / 1000).toFixed(3)}</td><td>${escapeHtml(event.what)}${
      event.outcome === 'met' ? '' : `<br><span class="faint">last seen: ${escapeHtml(event.seen)}</span>`
    }</td><td><span class="pill">${event.outcome}</span></td><td class="number">${milliseconds(event.measuredMs)}</td><td class="number">${milliseconds(event.boundMs)}</td><td>${bar}</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th class="number">Time (s)</th><th>What must hold</th><th>Outcome</th><th class="number">Took (ms)</th><th class="number">Bound (ms)</th><th></th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

const milliseconds = (ms: number | undefined): string =>
  ms === undefined ? '–' : String(Math.round(ms)).replace(/\B(?=(\d{3})+$)/g, ' ');

function volumeHistories(run: RecordedRun): string {
  const byVolume = Map.groupBy(volumeSteps(run), (step) => step.id);
  if (byVolume.size === 0) return '<p class="faint">There was none.</p>';
  return [...byVolume]
    .map(([id, steps]) => {
      const name = steps.find((step) => step.after !== undefined)?.after?.name ?? '';
      const rows = steps.map((step) => {
        const error = step.malformed ?? step.after?.control.error ?? '';
        return `<tr><td class="number">${(step.event.atMs / 1000).toFixed(3)}</td><td class="number">${step.event.revision}</td><td>${escapeHtml(describeStep(step).slice(id.length + 1))}</td><td>${escapeHtml(error)}</td></tr>`;
      });
      return `<details><summary><strong>${escapeHtml(name)}</strong> <code>${escapeHtml(id)}</code> <span class="faint">${steps.length} steps</span></summary><div class="scroll"><table><thead><tr><th class="number">Time (s)</th><th class="number">Revision</th><th>Change</th><th>Error</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div></details>`;
    })
    .join('\n');
}

function logControls(run: RecordedRun): string {
  const containers = [...new Set(run.logs.map((line) => line.container))].sort();
  const options = containers.map((name) => `<option>${escapeHtml(name)}</option>`).join('');
  return `<select id="logs-level" aria-label="Least level"><option>debug</option><option selected>info</option><option>warn</option><option>error</option></select><select id="logs-container" aria-label="Container"><option value="">all containers</option>${options}</select>`;
}

function searchTable(options: {
  readonly name: string;
  readonly columns: readonly string[];
  /** How many of the first columns hold numbers. */
  readonly numeric: number;
  readonly controls: string;
}): string {
  const { name, columns, numeric, controls } = options;
  const heads = columns.map((text, index) => `<th${index < numeric ? ' class="number"' : ''}>${text}</th>`);
  return `<div class="controls"><input id="${name}-search" type="search" placeholder="words that must occur" aria-label="Search">${controls}<span class="faint" id="${name}-count"></span></div>
<div class="scroll"><table id="${name}"><thead><tr>${heads.join('')}</tr></thead><tbody></tbody></table></div>`;
}
