// Keys that lead to where something is done; none of them does anything by itself.

import { element } from '../../report/page/dom.js';
import { announce } from './link.js';

/** @param {Record<string, () => void>} more those of a kind of console */
export function mountShortcuts(more) {
  const help = element('help', HTMLDialogElement);
  element('help-open', HTMLButtonElement).addEventListener('click', () => help.showModal());
  /** @param {string} id */
  const to = (id) => () => {
    const found = document.getElementById(id);
    found?.focus();
    found?.scrollIntoView({ block: 'nearest' });
  };
  /** @type {Record<string, () => void>} */
  const keys = {
    k: to('kill-leader'),
    f: to('fault'),
    u: to('undo-all'),
    n: to('nodes-title'),
    v: to('volumes-title'),
    e: to('keys-title'),
    l: to('logs-title'),
    '/': to('logs-search'),
    '?': () => help.showModal(),
    Escape: () => announce(''),
    ...more,
  };
  document.addEventListener('keydown', (press) => {
    // A key that is held down acts once.
    if (press.repeat && press.target instanceof HTMLButtonElement && 'Enter '.includes(press.key))
      press.preventDefault();
    if (press.ctrlKey || press.metaKey || press.altKey || isTyping(press.target) || help.open) return;
    const act = keys[press.key];
    if (act === undefined) return;
    // A button that has the focus is pressed by space.
    if (press.key === ' ' && press.target instanceof HTMLButtonElement) return;
    press.preventDefault();
    act();
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (target instanceof HTMLInputElement) return target.type !== 'range' && target.type !== 'checkbox';
  return target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement;
}
