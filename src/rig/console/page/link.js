// The line to the console: its events, what it is asked, and what it is asked to do.

import { element } from '../../report/page/dom.js';
import { kind } from './state.js';

const token = document.querySelector('meta[name="console-token"]')?.getAttribute('content') ?? '';

/** @param {string} text @param {string} tone */
function showLink(text, tone) {
  const badge = element('link', HTMLElement);
  badge.textContent = text;
  badge.dataset.tone = tone;
  document.documentElement.dataset.link = tone;
}

/** @param {Record<string, (data: any) => void>} listeners by the events' names */
export function followConsole(listeners) {
  const source = new EventSource('/api/events');
  source.addEventListener('open', () => showLink(kind === 'run' ? 'recorded' : 'live', 'good'));
  source.addEventListener('error', () => {
    showLink(source.readyState === EventSource.CLOSED ? 'the console has ended' : 'reconnecting', 'bad');
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
