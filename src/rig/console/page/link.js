// The line to the console: its events, what it is asked, and what it is asked to do.

import { element } from '../../report/page/dom.js';
import { put } from './build.js';
import { kind, linkIs, nowMs, timeOf, unheard, whenChanged } from './state.js';

const token = document.querySelector('meta[name="console-token"]')?.getAttribute('content') ?? '';

/** That it is live is true of what is heard of only. */
function showLink() {
  const silent = unheard();
  const badge = element('link', HTMLElement);
  const live = kind === 'run' ? 'recorded' : 'live';
  put(badge, silent === null ? live : `nothing heard since ${timeOf(silent.sinceMs)}`);
  const tone = silent === null ? 'good' : 'bad';
  badge.dataset.tone = tone;
  document.documentElement.dataset.link = tone;
}

/** @param {Record<string, (data: any) => void>} listeners by the events' names */
export function followConsole(listeners) {
  const source = new EventSource('/api/events');
  /** @type {number | undefined} */
  let lostMs;
  whenChanged(showLink);
  source.addEventListener('open', () => {
    lostMs = undefined;
    linkIs(null);
  });
  source.addEventListener('error', () => {
    lostMs ??= nowMs();
    linkIs({ sinceMs: lostMs, isOver: source.readyState === EventSource.CLOSED });
  });
  for (const [name, listen] of Object.entries(listeners)) {
    source.addEventListener(name, (event) => listen(JSON.parse(event.data)));
  }
}

/** @param {string} path @returns {Promise<any>} */
export async function ask(path) {
  const response = await fetch(path);
  const body = await response.json();
  if (response.ok) return body;
  throw new Error(body.error ?? response.statusText);
}

/** @param {unknown} order */
export async function give(order) {
  try {
    const response = await fetch('/api/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-console-token': token },
      body: JSON.stringify(order),
    });
    if (response.ok) {
      announce('');
      return;
    }
    const body = await response.json();
    announce([body.error, body.next].filter(Boolean).join('. '));
  } catch (error) {
    announce(`The console does not answer: ${error instanceof Error ? error.message : error}`);
  }
}

/** Shows it above all else, until the next order is taken. @param {string} text empty: nothing is wrong any more */
export function announce(text) {
  const trouble = element('trouble', HTMLElement);
  trouble.hidden = text === '';
  trouble.textContent = text;
}
