// A recorded run, watched again: its time line, and a place in it that moves by itself or by hand.

import { colours, element, oncePerFrame, onNewWidth } from '../../report/page/dom.js';
import { AXIS_HEIGHT, drawTimeline } from '../../report/page/draw.js';
import { LANE_HEIGHT } from '../../report/page/draw-lane.js';
import { inWords } from '../../report/page/lane-content.js';
import { ask } from './link.js';
import { clockIs, takeItems } from './state.js';

/** @typedef {import('../../report/page-data.ts').PageData} PageData */
/** @typedef {import('../replay.ts').Moment} Moment */

/** The place in the run. */
let atMs = 0;
let endMs = 0;
let isAsking = false;
/** Of the frame that plays on; 0: it doesn't play. */
let playing = 0;
/** @type {(ms: number) => void} */
let moveHead = () => {};
/** @type {(moment: Moment) => void} */
let showMoment = () => {};

/** @param {(moment: Moment) => void} show */
export async function mountPlayer(show) {
  /** @type {{ readonly data: PageData, readonly stepsMs: readonly number[] }} */
  const { data, stepsMs } = await ask('/api/timeline');
  endMs = data.endMs;
  showMoment = show;
  moveHead = mountLanes(data, moveTo);
  const slider = element('time', HTMLInputElement);
  slider.max = String(endMs);
  /** @param {number} direction */
  const step = (direction) => {
    const next = direction > 0 ? stepsMs.find((ms) => ms > atMs) : stepsMs.findLast((ms) => ms < atMs);
    if (next !== undefined) moveTo(next);
  };
  slider.addEventListener('input', () => moveTo(Number(slider.value)));
  element('play', HTMLButtonElement).addEventListener('click', togglePlay);
  element('step-back', HTMLButtonElement).addEventListener('click', () => step(-1));
  element('step-on', HTMLButtonElement).addEventListener('click', () => step(1));
  moveTo(0);
  return { toggle: togglePlay, step };
}

/** @param {number} ms */
function moveTo(ms) {
  atMs = Math.max(0, Math.min(endMs, ms));
  const slider = element('time', HTMLInputElement);
  const text = `+${(atMs / 1000).toFixed(3)} s`;
  slider.value = String(atMs);
  slider.setAttribute('aria-valuetext', text);
  element('moment', HTMLOutputElement).textContent = `${text} of ${(endMs / 1000).toFixed(1)} s`;
  moveHead(atMs);
  void loadMoment();
}

/** The last moment that was asked for is what counts: those between are passed over. */
async function loadMoment() {
  if (isAsking) return;
  isAsking = true;
  try {
    for (let loaded = -1; loaded !== atMs; ) {
      loaded = atMs;
      /** @type {Moment} */
      const found = await ask(`/api/moment?ms=${atMs}`);
      clockIs(found.atMs);
      takeItems({ isWhole: true, set: found.items, gone: [] });
      showMoment(found);
      document.documentElement.dataset.moment = String(found.atMs);
    }
  } catch {
    // How the console itself is, is told where everybody looks.
  } finally {
    isAsking = false;
  }
}

/** @param {boolean} isPlaying */
function showPlaying(isPlaying) {
  const play = element('play', HTMLButtonElement);
  play.setAttribute('aria-pressed', String(isPlaying));
  if (play.firstChild !== null) play.firstChild.textContent = isPlaying ? 'Halt' : 'Play';
}

function haltPlay() {
  cancelAnimationFrame(playing);
  playing = 0;
  showPlaying(false);
}

function togglePlay() {
  if (playing !== 0) {
    haltPlay();
    return;
  }
  if (atMs >= endMs) moveTo(0);
  showPlaying(true);
  let lastMs = performance.now();
  const frame = (/** @type {number} */ now) => {
    moveTo(atMs + (now - lastMs) * Number(element('speed', HTMLSelectElement).value));
    lastMs = now;
    if (atMs >= endMs) haltPlay();
    else playing = requestAnimationFrame(frame);
  };
  playing = requestAnimationFrame(frame);
}

/** @param {PageData} data @param {(ms: number) => void} go */
function mountLanes(data, go) {
  const canvas = element('lanes', HTMLCanvasElement);
  const head = element('playhead', HTMLElement);
  const tip = element('tip', HTMLElement);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
  const height = data.lanes.length * LANE_HEIGHT + AXIS_HEIGHT;
  const labelWidth = () => (canvas.clientWidth < 600 ? 92 : 150);
  let headMs = 0;
  const placeHead = () => {
    const x = labelWidth() + (headMs / data.endMs) * (canvas.clientWidth - labelWidth());
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
    placeHead();
  });
  canvas.style.height = `${height}px`;
  head.style.height = `${height - AXIS_HEIGHT}px`;
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
    headMs = ms;
    placeHead();
  };
}
