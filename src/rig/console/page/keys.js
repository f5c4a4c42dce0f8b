// etcd's keys, as of the newest revision or of any other.

import { element } from '../../report/page/dom.js';
import { put } from './build.js';
import { ask } from './link.js';
import { ageOf, kind, nowMs, timeOf } from './state.js';
import { ROOT_PREFIX, shortOf, showChanges, showTree, showValue, showVersions } from './tree.js';

/** @typedef {import('../key-history.ts').KeyAt} KeyAt */
/** @typedef {import('../key-history.ts').KeyChange} KeyChange */
/** @typedef {{ readonly revision: number, readonly changes: readonly (KeyChange & { readonly now: KeyAt | null })[] }} KeyNews */

/** @type {Map<string, KeyAt>} */
let newest = new Map();
/** @type {KeyAt[]} */
let shown = [];
/** @type {readonly KeyChange[]} */
let changes = [];
let [from, to] = [1, 0];
/** The revision that is looked at; undefined: the newest, whichever that is. @type {number | undefined} */
let at;
let chosen = `${ROOT_PREFIX}engine/leader`;
let isAsking = false;

export function mountKeys() {
  const slider = element('revision', HTMLInputElement);
  slider.addEventListener('input', () => goTo(Number(slider.value)));
  element('revision-live', HTMLButtonElement).addEventListener('click', () => goTo(undefined));
  element('keys-search', HTMLInputElement).addEventListener('input', draw);
  element('revision-back', HTMLButtonElement).addEventListener('click', () => stepBy(-1));
  element('revision-on', HTMLButtonElement).addEventListener('click', () => stepBy(1));
}

/** @param {number} by */
export const stepBy = (by) => goTo((at ?? to) + by);

/** @param {number | undefined} revision undefined: to the newest, and on with it */
export function goTo(revision) {
  const isNewest = revision === undefined || (revision >= to && kind !== 'run');
  at = isNewest ? undefined : Math.max(from, Math.min(to, revision));
  draw();
  void load();
}

/** What was known of the history does not count any more. */
export function forgetKeys() {
  [newest, to, at] = [new Map(), 0, undefined];
  void load();
}

/** @param {KeyNews} news */
export function addKeys({ revision, changes: fresh }) {
  if (revision <= to) return;
  to = revision;
  for (const { key, now } of fresh) {
    if (now === null) newest.delete(key);
    else newest.set(key, now);
  }
  if (at === undefined) {
    shown = [...newest.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    changes = fresh.filter((change) => change.revision === revision);
  }
  draw();
  if (fresh.some(({ key }) => key === chosen)) void showVersions(chosen, goTo);
  document.documentElement.dataset.revision = String(revision);
}

/** @param {string} key */
function choose(key) {
  chosen = key;
  draw();
  void showVersions(key, goTo);
}

/** The last place that was asked for is what counts: those between are passed over. */
async function load() {
  if (isAsking) return;
  isAsking = true;
  try {
    /** @type {number | undefined | null} */
    let loaded = null;
    while (loaded !== at) {
      loaded = at;
      const answer = await ask(`/api/keys${at === undefined ? '' : `?at=${at}`}`);
      from = answer.from;
      // News have come meanwhile that the answer does not have.
      if (answer.to < to) {
        loaded = null;
        continue;
      }
      to = answer.to;
      [shown, changes] = [answer.keys, answer.changes];
      if (at === undefined) newest = new Map(shown.map((entry) => [entry.key, entry]));
      draw();
      void showVersions(chosen, goTo);
    }
  } catch {
    // How the console itself is, is told where everybody looks.
  } finally {
    isAsking = false;
  }
}

function draw() {
  const slider = element('revision', HTMLInputElement);
  const revision = at ?? to;
  slider.min = String(from);
  slider.max = String(Math.max(from, to));
  slider.value = String(revision);
  slider.setAttribute('aria-valuetext', `revision ${revision} of ${to}`);
  element('revision-live', HTMLButtonElement).setAttribute('aria-pressed', String(at === undefined));
  put(element('revision-told', HTMLElement), toldOf(revision));
  const words = element('keys-search', HTMLInputElement).value;
  showTree({ keys: shown, revision, words, chosen, choose });
  showChanges(changes, choose);
  showValue(
    shown.find(({ key }) => key === chosen),
    chosen,
    revision,
  );
}

/** @param {number} revision */
function toldOf(revision) {
  if (to === 0) return 'Waiting for etcd.';
  const past = at === undefined ? 'the newest' : `${to - revision} before the newest`;
  const what = changes.map(({ did, key }) => `${did} ${shortOf(key)}`).join(', ');
  return [`Revision ${revision}, ${past}`, whenOf(changes[0]), what].filter(Boolean).join(' · ');
}

/** @param {KeyChange | undefined} change */
function whenOf(change) {
  if (change?.atMs == null) return '';
  if (kind === 'run') return `+${(change.atMs / 1000).toFixed(3)} s`;
  return `${timeOf(change.atMs)}, ${ageOf(nowMs() - change.atMs)} ago`;
}
