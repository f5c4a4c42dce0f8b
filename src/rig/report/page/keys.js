// The keys of the time line, and the buttons that do the same.

import { element } from './dom.js';
import { troubles } from './rows.js';
import { seconds, shifted, zoomed } from './window.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./view.js').View} View */

/** @param {HTMLCanvasElement} canvas @param {PageData} data @param {View} view */
export function mountKeys(canvas, data, view) {
  const { endMs } = view;
  const all = troubles(data);
  /** @param {number} direction */
  const toTrouble = (direction) => {
    const { fromMs, toMs } = view.span();
    const middle = (fromMs + toMs) / 2;
    const next =
      direction > 0 ? all.find((atMs) => atMs > middle + 1) : all.findLast((atMs) => atMs < middle - 1);
    const first = view.whole() ? all.at(direction > 0 ? 0 : -1) : next;
    const said = element('said', HTMLOutputElement);
    if (first === undefined) {
      said.textContent = 'Nothing more went wrong in that direction.';
      return;
    }
    const halfMs = Math.min((toMs - fromMs) / 2, Math.max(500, endMs / 40));
    view.show({ fromMs: first - halfMs, toMs: first + halfMs });
    said.textContent = `Something went wrong at ${seconds(first)} s.`;
  };
  /** @param {number} factor */
  const zoom = (factor) => {
    const { fromMs, toMs } = view.span();
    view.show(zoomed(view.span(), { factor, atMs: (fromMs + toMs) / 2, endMs }));
  };
  /** @type {Record<string, () => void>} */
  const acts = {
    '+': () => zoom(0.5),
    '=': () => zoom(0.5),
    '-': () => zoom(2),
    0: () => view.show({ fromMs: 0, toMs: endMs }),
    ArrowLeft: () => view.show(shifted(view.span(), { share: -0.25, endMs })),
    ArrowRight: () => view.show(shifted(view.span(), { share: 0.25, endMs })),
    n: () => toTrouble(1),
    p: () => toTrouble(-1),
  };
  canvas.addEventListener('keydown', (press) => {
    const act = press.ctrlKey || press.metaKey || press.altKey ? undefined : acts[press.key];
    if (act === undefined) return;
    press.preventDefault();
    act();
  });
  for (const button of document.querySelectorAll('#timeline-controls button')) {
    button.addEventListener('click', () => acts[button.getAttribute('data-key') ?? '']?.());
  }
}
