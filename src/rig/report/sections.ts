// The tables of the page that need no script.

import { outcomeOf } from '../checks/expectations.ts';
import { seconds } from '../checks/verdict.ts';
import { workClockOf } from '../checks/work-clock.ts';
import type { ExpectationEvent, RecordedRun, Verdict } from '../history.ts';
import { escapeHtml } from './escape.ts';

export const LEGEND = `<p class="legend faint">${[
  ['rose', 'fault'],
  ['violet', 'leads'],
  ['grey', 'registered, deleting'],
  ['green', 'ready'],
  ['sand', 'scheduling, pending; a busy machine'],
  ['blue', 'resizing, moving, cloning'],
  ['good', 'call'],
  ['hatched', 'a starved machine'],
  ['bad', 'failed call, error'],
  ['doubt', 'call of unknown outcome, warning'],
  ['faint', 'refused call (404, 409, 412, no access)'],
]
  .map(([colour, text]) => `<span><i class="swatch ${colour}"></i>${text}</span>`)
  .join('')}</p>`;

export function checksTable(verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0) return '<p class="faint">No check was asked for.</p>';
  const rows = verdicts.map(
    ({ check, verdict, reason }) =>
      `<tr class="${verdict}"><td class="tight">${escapeHtml(check)}</td><td><span class="pill">${verdict}</span></td><td>${escapeHtml(reason)}</td></tr>`,
  );
  return `<div class="scroll"><table><thead><tr><th>Check</th><th>Verdict</th><th>Why</th></tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

const TONES = { met: 'valid', missed: 'invalid', unseen: 'unknown' } as const;

export function expectationsTable(run: RecordedRun): string {
  const events = run.history.filter((event) => event.type === 'expectation');
  const clock = workClockOf(run);
  if (events.length === 0) return '<p class="faint">The run came to none.</p>';
  const heads =
    '<th class="number">Time</th><th>What must hold</th><th>Outcome</th><th class="number">Took (ms)</th><th class="number">Bound (ms)</th><th></th>';
  return `<div class="scroll"><table><thead><tr>${heads}</tr></thead><tbody>${events.map((event) => expectationRow(event, outcomeOf(event, clock))).join('\n')}</tbody></table></div>`;
}

function expectationRow(event: ExpectationEvent, judged: ExpectationEvent['outcome']): string {
  const { atMs, boundMs, measuredMs = 0, outcome, seen, what } = event;
  const tone = TONES[judged];
  const bar = boundMs ? `<meter value="${measuredMs}" max="${boundMs}" high="${boundMs * 0.8}"></meter>` : '';
  const last = outcome === 'met' ? '' : `<br><span class="faint">last seen: ${escapeHtml(seen)}</span>`;
  const href = `#t=${Math.floor(Math.max(0, atMs - measuredMs))}-${Math.ceil(atMs)}`;
  return `<tr class="${tone}"><td class="number"><a href="${href}">${seconds(atMs)}</a></td><td>${escapeHtml(what)}${last}</td><td><span class="pill">${judged === 'missed' && outcome === 'met' ? 'late' : judged}</span></td><td class="number">${milliseconds(event.measuredMs)}</td><td class="number">${milliseconds(boundMs)}</td><td>${bar}</td></tr>`;
}

const milliseconds = (ms: number | undefined): string =>
  ms === undefined ? '–' : String(Math.round(ms)).replace(/\B(?=(\d{3})+$)/g, ' ');

/** Of runs with kernel mounts; nothing for others. */
export const sightsSection = (sights: readonly string[]): string =>
  sights.length === 0
    ? ''
    : `<h2>What applications saw</h2>\n<ul>${sights.map((sight) => `<li>${escapeHtml(sight)}</li>`).join('')}</ul>`;

export function searchTable(options: {
  readonly name: string;
  readonly columns: readonly string[];
  /** How many of the first columns hold numbers. */
  readonly numeric: number;
  readonly controls: string;
}): string {
  const { name, columns, numeric, controls } = options;
  const heads = columns.map((text, index) => `<th${index < numeric ? ' class="number"' : ''}>${text}</th>`);
  return `<div class="controls"><input id="${name}-search" type="search" placeholder="words that must occur" aria-label="Search ${name}">${controls}<span class="faint" id="${name}-count"></span></div>
<div class="scroll"><table id="${name}"><thead><tr>${heads.join('')}</tr></thead><tbody></tbody></table></div>`;
}
