// The pointer on the time line: what is under it, dragging to zoom, and a click that
// shows the log.

import { element } from './dom.js';
import { LANE_HEIGHT } from './draw-lane.js';
import { inWords } from './lane-content.js';
import { seconds, zoomed } from './window.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./view.js').View} View */
/** @typedef {{ readonly data: PageData, readonly view: View, readonly timeAt: (x: number) => number, readonly msPerPx: () => number }} Pointing */

/** What the pointer needn't hit exactly. */
const NEAR_PX = 4;

/** @param {HTMLCanvasElement} canvas @param {Pointing} pointing */
export function mountPointer(canvas, { data, view, timeAt, msPerPx }) {
  const box = element('selection', HTMLDivElement);
  const tip = element('tip', HTMLDivElement);
  /** @type {number | undefined} */
  let startX;
  canvas.addEventListener('pointerdown', (event) => {
    startX = event.offsetX;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener('pointermove', (event) => {
    const { offsetX: x, offsetY: y } = event;
    if (startX !== undefined) {
      box.hidden = Math.abs(x - startX) < NEAR_PX;
      box.style.left = `${Math.min(x, startX)}px`;
      box.style.width = `${Math.abs(x - startX)}px`;
    }
    const text = inWords(data, Math.floor(y / LANE_HEIGHT), {
      atMs: timeAt(x),
      nearMs: NEAR_PX * msPerPx(),
    });
    tip.hidden = text === '';
    tip.textContent = text;
    tip.style.left = `${Math.max(0, Math.min(x + 12, canvas.clientWidth - 300))}px`;
    tip.style.top = `${y + 18}px`;
  });
  canvas.addEventListener('pointerleave', () => {
    tip.hidden = true;
  });
  canvas.addEventListener('pointercancel', () => {
    startX = undefined;
    box.hidden = true;
  });
  canvas.addEventListener('pointerup', (event) => {
    const from = startX;
    startX = undefined;
    box.hidden = true;
    if (from === undefined) return;
    if (Math.abs(event.offsetX - from) >= NEAR_PX) {
      const [a, b] = [timeAt(from), timeAt(event.offsetX)];
      view.show({ fromMs: Math.min(a, b), toMs: Math.max(a, b) });
      return;
    }
    // A click is a question for the log: what was said then, there?
    const lane = data.lanes[Math.floor(event.offsetY / LANE_HEIGHT)];
    const atMs = timeAt(event.offsetX);
    showLog(data.strings[lane?.logs?.container ?? -1] ?? '', atMs);
    const halfMs = Math.min(1000, (view.span().toMs - view.span().fromMs) / 2);
    view.show({ fromMs: atMs - halfMs, toMs: atMs + halfMs });
  });
  canvas.addEventListener('dblclick', () => view.show({ fromMs: 0, toMs: view.endMs }));
  canvas.addEventListener(
    'wheel',
    (event) => {
      // The page itself must go on scrolling.
      if (!event.ctrlKey && !event.shiftKey) return;
      event.preventDefault();
      const factor = (event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8;
      view.show(zoomed(view.span(), { factor, atMs: timeAt(event.offsetX), endMs: view.endMs }));
    },
    { passive: false },
  );
}

/** @param {string} container @param {number} atMs */
function showLog(container, atMs) {
  const select = element('logs-container', HTMLSelectElement);
  select.value = [...select.options].some(({ value }) => value === container) ? container : '';
  select.dispatchEvent(new Event('input'));
  element('said', HTMLOutputElement).textContent = `The log is shown around ${seconds(atMs)} s.`;
}
