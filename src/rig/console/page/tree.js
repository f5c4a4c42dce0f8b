// The parts of the panel of etcd's keys: the tree, what a revision has changed, and a key's value with its changes.

import { element } from '../../report/page/dom.js';
import { flash, keep, make, mark, put } from './build.js';
import { ask } from './link.js';
import { one } from './state.js';

/** @typedef {import('../key-history.ts').KeyAt} KeyAt */
/** @typedef {import('../key-history.ts').KeyChange} KeyChange */

export const ROOT_PREFIX = '/cobalt/v1/';
/** Of each group; more are found by the search. */
const MOST_KEYS = 80;

/** @param {string} key */
export const shortOf = (key) => (key.startsWith(ROOT_PREFIX) ? key.slice(ROOT_PREFIX.length) : key);

/** @param {string} key */
function groupOf(key) {
  const short = shortOf(key);
  const cut = short.indexOf('/', 1);
  return cut < 0 ? '' : short.slice(0, cut + 1);
}

/** @param {{ readonly keys: readonly KeyAt[], readonly revision: number, readonly words: string, readonly chosen: string, readonly choose: (key: string) => void }} what */
export function showTree({ keys, revision, words, chosen, choose }) {
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
export function showChanges(changes, choose) {
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
export function showValue(entry, chosen, revision) {
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
export async function showVersions(key, go) {
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
