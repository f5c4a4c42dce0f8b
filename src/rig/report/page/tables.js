// The long tables: as many rows of the window as the reader's filters allow.

import { cell, element, longCell, oncePerFrame } from './dom.js';
import { rowsIn, searcher } from './rows.js';
import { seconds } from './window.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('./view.js').View} View */

/** Rows shown at once; more would make the page slow and nobody reads them. */
const MOST_ROWS = 300;
const LEVELS = ['debug', 'info', 'warn', 'error'];

/**
 * @param {PageData} data
 * @param {View} view
 */
export function mountTables(data, view) {
  mountLogs(data, view);
  mountEtcd(data, view);
}

/** @param {PageData} data @param {View} view */
function mountLogs({ logs, strings }, view) {
  const search = element('logs-search', HTMLInputElement);
  const level = element('logs-level', HTMLSelectElement);
  const container = element('logs-container', HTMLSelectElement);
  const show = oncePerFrame(() => {
    const least = LEVELS.indexOf(level.value);
    const wanted = container.value === '' ? -1 : strings.indexOf(container.value);
    const found = searcher(search.value);
    const rows = rowsIn(logs.atMs, view.span(), (index) => {
      if ((logs.level[index] ?? 0) < least) return false;
      if (wanted >= 0 && logs.container[index] !== wanted) return false;
      return found(`${strings[logs.container[index] ?? 0]} ${logs.text[index]}`);
    });
    fill('logs', { rows, here: logs.atMs.length, total: logs.total, view }, (row, index) => {
      const name = LEVELS[logs.level[index] ?? 1] ?? '';
      cell(row, seconds(logs.atMs[index] ?? 0), 'number');
      cell(row, strings[logs.container[index] ?? 0] ?? '', 'tight');
      cell(row, name, `tight level-${name}`);
      longCell(row, logs.text[index] ?? '');
    });
  });
  for (const control of [search, level, container]) control.addEventListener('input', show);
  view.follow(show);
  show();
}

/** @param {PageData} data @param {View} view */
function mountEtcd({ etcd, strings }, view) {
  const search = element('etcd-search', HTMLInputElement);
  const show = oncePerFrame(() => {
    const found = searcher(search.value);
    const rows = rowsIn(etcd.atMs, view.span(), (index) =>
      found(`${etcd.revision[index]} ${strings[etcd.key[index] ?? 0]} ${etcd.value[index]}`),
    );
    fill('etcd', { rows, here: etcd.atMs.length, total: etcd.total, view }, (row, index) => {
      cell(row, seconds(etcd.atMs[index] ?? 0), 'number');
      cell(row, etcd.revision[index] ?? 0, 'number');
      cell(row, etcd.deleted[index] === 1 ? 'delete' : 'put', 'tight');
      cell(row, strings[etcd.key[index] ?? 0] ?? '', 'mono');
      longCell(row, etcd.value[index] ?? '');
    });
  });
  search.addEventListener('input', show);
  view.follow(show);
  show();
}

/** @typedef {{ readonly rows: readonly number[], readonly here: number, readonly total: number, readonly view: View }} Found */

/**
 * @param {string} name
 * @param {Found} found
 * @param {(row: HTMLTableRowElement, index: number) => void} draw
 */
function fill(name, { rows, here, total, view }, draw) {
  const table = element(name, HTMLTableElement);
  const body = document.createElement('tbody');
  for (const index of rows.slice(0, MOST_ROWS)) draw(body.insertRow(), index);
  table.tBodies[0]?.replaceWith(body);
  const { fromMs, toMs } = view.span();
  const when = view.whole() ? '' : ` from ${seconds(fromMs)} to ${seconds(toMs)} s`;
  const shown = rows.length > MOST_ROWS ? `the first ${MOST_ROWS} of ${rows.length}` : `${rows.length}`;
  const left = here < total ? `; ${total - here} of ${total} are not on this page` : ` of ${total}`;
  element(`${name}-count`, HTMLElement).textContent = `${shown} found${when}${left}`;
}
