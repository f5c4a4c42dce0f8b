// A recorded run, watched again: its time line, and a place in it that moves by itself or by hand.

import { colours, element, oncePerFrame, onNewWidth } from '../../report/page/dom.js';
import { AXIS_HEIGHT, drawTimeline } from '../../report/page/draw.js';
import { LANE_HEIGHT } from '../../report/page/draw-lane.js';
import { inWords } from '../../report/page/lane-content.js';
import { ask } from './link.js';
import { clockIs, takeItems } from './state.js';

/** @typedef {import('../../report/page-data.ts').PageData} PageData */
/** @typedef {import('../replay.ts').Moment} Moment */

/**
 * @param {{ readonly show: (moment: Moment) => void }} shown
 */
export async function mountPlayer({ show }) {
  /** @type {{ readonly data: PageData, readonly stepsMs: readonly number[] }} */
  const { data, stepsMs } = await ask('/api/timeline');
  const { endMs } = data;
  const slider = element('time', HTMLInputElement);
  const play = element('play', HTMLButtonElement);
  const moment = element('moment', HTMLOutputElement);
  slider.max = String(endMs);
  const moveHead = mountLanes(data, (ms) => go(ms));
  let atMs = 0;
  let isAsking = false;

  const load = async () => {
    if (isAsking) return;
    isAsking = true;
    let loaded = -1;
    try {
      while (loaded !== atMs) {
        loaded = atMs;
        /** @type {Moment} */
        const found = await ask(`/api/moment?ms=${atMs}`);
        clockIs(found.atMs);
        takeItems({ isWhole: true, set: found.items, gone: [] });
        show(found);
        document.documentElement.dataset.moment = String(found.atMs);
      }
    } finally {
      isAsking = false;
    }
  };
  /** @param {number} ms */
  const go = (ms) => {
    atMs = Math.max(0, Math.min(endMs, ms));
    slider.value = String(atMs);
    const text = `+${(atMs / 1000).toFixed(3)} s`;
    moment.textContent = `${text} of ${(endMs / 1000).toFixed(1)} s`;
    slider.setAttribute('aria-valuetext', text);
    moveHead(atMs);
    void load();
  };
  /** @param {number} direction */
  const step = (direction) => {
    const next = direction > 0 ? stepsMs.find((ms) => ms > atMs) : stepsMs.findLast((ms) => ms < atMs);
    if (next !== undefined) go(next);
  };
  let playing = 0;
  const halt = () => {
    cancelAnimationFrame(playing);
    playing = 0;
    play.setAttribute('aria-pressed', 'false');
    if (play.firstChild !== null) play.firstChild.textContent = 'Play';
  };
  const toggle = () => {
    if (playing !== 0) {
      halt();
      return;
    }
    if (atMs >= endMs) go(0);
    play.setAttribute('aria-pressed', 'true');
    if (play.firstChild !== null) play.firstChild.textContent = 'Halt';
    let lastMs = performance.now();
    const frame = (/** @type {number} */ now) => {
      go(atMs + (now - lastMs) * Number(element('speed', HTMLSelectElement).value));
      lastMs = now;
      if (atMs >= endMs) halt();
      else playing = requestAnimationFrame(frame);
    };
    playing = requestAnimationFrame(frame);
  };
  play.addEventListener('click', toggle);
  slider.addEventListener('input', () => go(Number(slider.value)));
  element('step-back', HTMLButtonElement).addEventListener('click', () => step(-1));
  element('step-on', HTMLButtonElement).addEventListener('click', () => step(1));
  go(0);
  return { toggle, step };
}

/** @param {PageData} data @param {(ms: number) => void} go */
function mountLanes(data, go) {
  const canvas = element('lanes', HTMLCanvasElement);
  const head = element('playhead', HTMLElement);
  const tip = element('tip', HTMLElement);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const height = data.lanes.length * LANE_HEIGHT + AXIS_HEIGHT;
  const labelWidth = () => (canvas.clientWidth < 600 ? 92 : 150);
  let atMs = 0;
  const moveHead = () => {
    const x = labelWidth() + (atMs / data.endMs) * (canvas.clientWidth - labelWidth());
    head.style.transform = `translateX(${x}px)`;
  };
  const draw = oncePerFrame(() => {
    const width = canvas.clientWidth;
    canvas.width = width * devicePixelRatio;
    canvas.height = height * devicePixelRatio;
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    drawTimeline(context, data, {
      width,
      labelWidth: labelWidth(),
      span: { fromMs: 0, toMs: data.endMs },
      colour: colours(),
    });
    canvas.dataset.drawn = 'yes';
    moveHead();
  });
  canvas.style.height = `${height}px`;
  onNewWidth(canvas, draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  /** @param {PointerEvent} event */
  const timeAt = ({ offsetX }) =>
    ((offsetX - labelWidth()) / (canvas.clientWidth - labelWidth())) * data.endMs;
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    go(timeAt(event));
  });
  canvas.addEventListener('pointermove', (event) => {
    if (event.buttons === 1) go(timeAt(event));
    const nearMs = (4 * data.endMs) / Math.max(1, canvas.clientWidth - labelWidth());
    const text = inWords(data, Math.floor(event.offsetY / LANE_HEIGHT), { atMs: timeAt(event), nearMs });
    tip.hidden = text === '';
    tip.textContent = text;
    tip.style.left = `${Math.max(0, Math.min(event.offsetX + 12, canvas.clientWidth - 300))}px`;
    tip.style.top = `${event.offsetY + 18}px`;
  });
  canvas.addEventListener('pointerleave', () => {
    tip.hidden = true;
  });
  draw();
  return (/** @type {number} */ ms) => {
    atMs = ms;
    moveHead();
  };
}
