// The first screen of the page: the verdict, what went wrong in a sentence, the
// counter-example with its moments, and what was broken on purpose then.

import { endMs } from '../checks/outages.ts';
import { seconds } from '../checks/verdict.ts';
import type { RecordedRun } from '../history.ts';
import { escapeHtml } from './escape.ts';
import { type FaultWindow, faultWindows, unavailableFaults } from './fault-windows.ts';
import type { Finding, Span } from './findings.ts';
import { commandOf, type ScenarioResult } from './verdict.ts';

/** The rest is told in a line each. */
const MOST_IN_FULL = 3;

export function banner(options: {
  readonly run: RecordedRun;
  readonly result: ScenarioResult;
  readonly found: readonly Finding[];
}): string {
  const { run, result } = options;
  // Of half a run it is no news that something was not seen.
  const found = options.found.filter(({ verdict }) => run.interrupted === undefined || verdict === 'invalid');
  const good = result.verdicts.filter(({ verdict }) => verdict === 'valid').length;
  const notes = [
    `${good} of ${result.verdicts.length} checks valid${run.interrupted === undefined ? '' : ' up to there'}`,
    `seed ${result.seed}`,
    `${(result.elapsedMs / 1000).toFixed(1)} s`,
  ];
  const tone = run.interrupted === undefined ? result.verdict : 'unknown';
  return `<header class="banner ${tone}">
<h1><span class="verdict">${headOf(run, result)}</span> ${escapeHtml(result.scenario)}</h1>
${interrupted(run, found)}
${found.slice(0, MOST_IN_FULL).map(inFull).join('\n')}
${inShort(found.slice(MOST_IN_FULL))}
${faultsOfRun(run)}
<p class="faint">${notes.join(' · ')} · again: <code>${escapeHtml(commandOf(result))}</code></p>
</header>`;
}

/** A run that did not come to its end has no verdict. */
export const headOf = (run: RecordedRun, { verdict }: Pick<ScenarioResult, 'verdict'>): string =>
  run.interrupted === undefined ? verdict : 'interrupted';

function interrupted(run: RecordedRun, found: readonly Finding[]): string {
  if (run.interrupted === undefined) return '';
  const wrong =
    found.length === 0 ? 'No check found anything wrong until then.' : 'What was wrong until then:';
  return `<p>${escapeHtml(run.interrupted)} The record ends at ${seconds(endMs(run))}, so there is no verdict. ${wrong}</p>`;
}

function inFull({ check, verdict, reason, lines, faults }: Finding): string {
  const example = lines.map(({ text, span }) => {
    const indent = text.startsWith(' ') ? ' class="more"' : '';
    return `<li${indent}>${span === undefined ? escapeHtml(text.trim()) : linked(text.trim(), span)}</li>`;
  });
  const list = example.length === 0 ? '' : `<ul class="example">${example.join('')}</ul>`;
  const then =
    lines.some(({ span }) => span !== undefined) &&
    `<p class="then">Faults then: ${faults.length === 0 ? 'none' : faults.map(faultLink).join('; ')}.</p>`;
  return `<section class="finding ${verdict}"><p><span class="pill">${verdict}</span> <strong>${escapeHtml(check)}</strong>: ${escapeHtml(reason)}</p>${list}${then || ''}</section>`;
}

/** The first time in the line, or all of it, leads into the time line. */
function linked(text: string, span: Span): string {
  const time = /\+\d+(?:\.\d+)? s\b|\brevision \d+\b/.exec(text);
  if (time === null) return escapeHtml(text);
  const before = text.slice(0, time.index);
  const after = text.slice(time.index + time[0].length);
  return `${escapeHtml(before)}<a href="${hrefOf(span)}" title="Show it in the time line">${escapeHtml(time[0])}</a>${escapeHtml(after)}`;
}

const hrefOf = ({ fromMs, toMs }: Span): string => `#t=${Math.floor(fromMs)}-${Math.ceil(toMs)}`;

function faultLink({ label, fromMs, toMs }: FaultWindow): string {
  const end = toMs === Number.POSITIVE_INFINITY ? 'the end' : seconds(toMs);
  const href = hrefOf({ fromMs, toMs: toMs === Number.POSITIVE_INFINITY ? fromMs : toMs });
  return `<a href="${href}">${escapeHtml(label)}</a> (${seconds(fromMs)} to ${end})`;
}

function inShort(rest: readonly Finding[]): string {
  if (rest.length === 0) return '';
  const lines = rest.map(
    ({ check, verdict, reason }) =>
      `<li class="${verdict}"><span class="pill">${verdict}</span> <strong>${escapeHtml(check)}</strong>: ${escapeHtml(reason)}</li>`,
  );
  return `<ul class="rest">${lines.join('')}</ul>`;
}

const MOST_FAULTS = 12;

function faultsOfRun(run: RecordedRun): string {
  const all = faultWindows(run);
  const more = all.length > MOST_FAULTS ? `; and ${all.length - MOST_FAULTS} more` : '';
  const text = all.length === 0 ? 'none' : all.slice(0, MOST_FAULTS).map(faultLink).join('; ') + more;
  const lacking = unavailableFaults(run).map((what) => `<br>Not to be had here: ${escapeHtml(what)}`);
  return `<p class="faint">Faults of the run: ${text}.${lacking.join('')}</p>`;
}
