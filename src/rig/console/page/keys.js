// etcd's keys as a tree, as of the newest revision or of any other, and what that has changed.

import { element } from '../../report/page/dom.js';
import { flash, keep, make, mark, put } from './build.js';
import { ask } from './link.js';
import { ageOf, kind, nowMs, one, timeOf } from './state.js';

/** @typedef {import('../key-history.ts').KeyAt} KeyAt */
/** @typedef {import('../key-history.ts').KeyChange} KeyChange */

const ROOT_PREFIX = '/cobalt/v1/';
/** Of each group; more are found by the search. */
const MOST_KEYS = 80;

export function createKeys() {
  const slider = element('revision', HTMLInputElement);
  const live = element('revision-live', HTMLButtonElement);
  const search = element('keys-search', HTMLInputElement);
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

  const draw = () => {
    slider.min = String(from);
    slider.max = String(Math.max(from, to));
    slider.value = String(at ?? to);
    const revision = at ?? to;
    slider.setAttribute('aria-valuetext', `revision ${revision} of ${to}`);
    live.setAttribute('aria-pressed', String(at === undefined));
    put(element('revision-told', HTMLElement), toldOf(revision));
    showTree({ keys: shown, revision, words: search.value, chosen, choose });
    showChanges(changes, choose);
    showValue(
      shown.find(({ key }) => key === chosen),
      chosen,
      revision,
    );
  };
  /** @param {number} revision */
  const toldOf = (revision) => {
    const past = at === undefined ? 'the newest' : `${to - revision} before the newest`;
    const [first] = changes;
    const when =
      first?.atMs == null
        ? ''
        : kind === 'run'
          ? ` · +${(first.atMs / 1000).toFixed(3)} s`
          : ` · ${timeOf(first.atMs)}, ${ageOf(nowMs() - first.atMs)} ago`;
    const what =
      changes.length === 0 ? '' : ` · ${changes.map(({ did, key }) => `${did} ${shortOf(key)}`).join(', ')}`;
    return to === 0 ? 'Waiting for etcd.' : `Revision ${revision}, ${past}${when}${what}`;
  };
  const load = async () => {
    // The last place that was asked for is what counts: those between are passed over.
    if (isAsking) return;
    isAsking = true;
    try {
      /** @type {number | undefined | null} */
      let loaded = null;
      while (loaded !== at) {
        loaded = at;
        const answer = await ask(`/api/keys${at === undefined ? '' : `?at=${at}`}`);
        [from, to] = [answer.from, Math.max(to, answer.to)];
        [shown, changes] = [answer.keys, answer.changes];
        if (at === undefined) newest = new Map(shown.map((entry) => [entry.key, entry]));
        draw();
        void showVersions(chosen, go);
      }
    } catch {
      // The console's own state is told where everybody looks.
    } finally {
      isAsking = false;
    }
  };
  /** @param {number | undefined} revision */
  const go = (revision) => {
    at =
      revision === undefined || (revision >= to && kind !== 'run')
        ? undefined
        : Math.max(from, Math.min(to, revision));
    draw();
    void load();
  };
  /** @param {string} key */
  const choose = (key) => {
    chosen = key;
    draw();
    void showVersions(key, go);
  };
  slider.addEventListener('input', () => go(Number(slider.value)));
  live.addEventListener('click', () => go(undefined));
  search.addEventListener('input', draw);
  const step = (/** @type {number} */ by) => go((at ?? to) + by);
  element('revision-back', HTMLButtonElement).addEventListener('click', () => step(-1));
  element('revision-on', HTMLButtonElement).addEventListener('click', () => step(1));
  return {
    step,
    go,
    newest: () => go(undefined),
    load,
    /** What was known of the history does not count any more. */
    reset: () => {
      [newest, to, at] = [new Map(), 0, undefined];
      void load();
    },
    /** @param {{ readonly revision: number, readonly changes: readonly (KeyChange & { readonly now: KeyAt | null })[] }} news */
    add: ({ revision, changes: fresh }) => {
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
      if (fresh.some(({ key }) => key === chosen)) void showVersions(chosen, go);
      document.documentElement.dataset.revision = String(revision);
    },
  };
}

/** @param {string} key */
const shortOf = (key) => (key.startsWith(ROOT_PREFIX) ? key.slice(ROOT_PREFIX.length) : key);

/** @param {string} key */
function groupOf(key) {
  const short = shortOf(key);
  const cut = short.indexOf('/', 1);
  return cut < 0 ? '' : short.slice(0, cut + 1);
}

/** @param {{ readonly keys: readonly KeyAt[], readonly revision: number, readonly words: string, readonly chosen: string, readonly choose: (key: string) => void }} what */
function showTree({ keys, revision, words, chosen, choose }) {
  const wanted = words.toLowerCase();
  const found = keys.filter(({ key, value }) => `${key} ${value}`.toLowerCase().includes(wanted));
  const groups = [...Map.groupBy(found, ({ key }) => groupOf(key))];
  const tree = element('tree', HTMLElement);
  keep(tree, groups, {
    keyOf: ([name]) => name,
    make: ([name]) =>
      make('details', { open: true }, [
        make('summary', {}, [make('span', {}, [name || 'top']), make('span', { class: 'faint' })]),
        make('ul'),
      ]),
    show: (shown, [, entries]) => {
      put(/** @type {Element} */ (shown.querySelector('summary .faint')), String(entries.length));
      keep(/** @type {Element} */ (shown.querySelector('ul')), entries.slice(0, MOST_KEYS), {
        keyOf: ({ key }) => key,
        make: ({ key }) =>
          make('li', {}, [
            make('button', { type: 'button', onclick: () => choose(key), title: key }, [
              make('span', {}, [shortOf(key).slice(groupOf(key).length)]),
              make('em'),
              make('small'),
            ]),
          ]),
        show: (item, { key, value, revision: changed }) => {
          const before = item.dataset.changed;
          mark(item, 'changed', String(changed));
          mark(item, 'new', String(changed === revision));
          put(/** @type {Element} */ (item.querySelector('small')), String(changed));
          put(/** @type {Element} */ (item.querySelector('em')), calledIn(key, value));
          item.querySelector('button')?.setAttribute('aria-current', String(key === chosen));
          if (before !== undefined && before !== String(changed)) flash(item);
        },
      });
    },
  });
  if (groups.length === 0) tree.dataset.empty = keys.length === 0 ? 'No key is there.' : 'No key fits.';
  else delete tree.dataset.empty;
}

/** Volumes go by ids; people call them by their names. @param {string} key @param {string} value */
function calledIn(key, value) {
  if (!key.startsWith(`${ROOT_PREFIX}volumes/`)) return '';
  return /"name":"([^"]*)"/.exec(value)?.[1] ?? '';
}

/** @param {readonly KeyChange[]} changes @param {(key: string) => void} choose */
function showChanges(changes, choose) {
  keep(element('revision-changes', HTMLElement), changes, {
    keyOf: ({ key, revision }) => `${revision} ${key}`,
    make: ({ key, did, lines }) =>
      make('li', { 'data-did': did }, [
        make('button', { type: 'button', onclick: () => choose(key) }, [`${did} ${shortOf(key)}`]),
        ...lines.map((line) => make('code', {}, [line])),
      ]),
  });
}

/** @param {KeyAt | undefined} entry @param {string} chosen @param {number} revision */
function showValue(entry, chosen, revision) {
  const value = element('key-value', HTMLElement);
  if (chosen === '') return;
  put(element('key-title', HTMLElement), shortOf(chosen));
  value.hidden = entry === undefined;
  const facts = element('key-facts', HTMLElement);
  if (entry === undefined) {
    put(facts, `It was not there at revision ${revision}.`);
    return;
  }
  const { version, created, lease, value: text } = entry;
  put(
    facts,
    `changed at revision ${entry.revision} · created at ${created} · written ${version} × ${lease === null ? '' : `· lease ${BigInt(lease).toString(16)}`}`,
  );
  put(value, pretty(text));
}

/** @param {string} text */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

/** @param {string} key @param {(revision: number) => void} go */
async function showVersions(key, go) {
  if (key === '' || one('cluster') === undefined) return;
  /** @type {{ readonly versions: readonly KeyChange[] }} */
  const { versions } = await ask(`/api/versions?key=${encodeURIComponent(key)}`).catch(() => ({
    versions: [],
  }));
  keep(element('key-versions', HTMLElement), versions.toReversed(), {
    keyOf: ({ revision }) => `${key} ${revision}`,
    make: ({ revision, did, lines }) =>
      make('li', { 'data-did': did }, [
        make(
          'button',
          { type: 'button', onclick: () => go(revision), 'aria-label': `to revision ${revision}: ${did}` },
          [`${revision} ${did}`],
        ),
        ...lines.slice(0, 4).map((line) => make('code', {}, [line])),
      ]),
  });
}
