// The volumes: where each is, what becomes of it, and whom it lets in.

import { element } from '../../report/page/dom.js';
import { keep, make, mark, partOf, put, say } from './build.js';
import { all, unheard, whenChanged } from './state.js';

/** @typedef {import('../items.ts').VolumeItem} VolumeItem */

const MOST_ROWS = 200;

export function mountVolumes() {
  const rows = element('volumes', HTMLElement);
  const more = element('volumes-more', HTMLElement);
  whenChanged(() => {
    const found = all('volume');
    const rankOf = found.length > MOST_ROWS ? rank : () => 0;
    const volumes = found.sort((a, b) => rankOf(a) - rankOf(b) || (a.name < b.name ? -1 : 1));
    keep(rows, volumes.slice(0, MOST_ROWS), { keyOf: ({ id }) => id, make: rowOf, show: showVolume });
    // Of a cluster that nobody hears of, nobody knows.
    element('volumes-empty', HTMLElement).hidden = volumes.length > 0 || unheard() !== null;
    more.hidden = volumes.length <= MOST_ROWS;
    put(
      more,
      `${volumes.length - MOST_ROWS} more volumes are not shown; what is wrong or on its way comes first.`,
    );
  });
}

/** Of many, what needs eyes comes first. @param {VolumeItem} volume */
const rank = ({ state, error }) => (error !== null ? 0 : state !== 'ready' ? 1 : 2);

/** @param {VolumeItem} volume */
function rowOf({ id }) {
  return make('tr', {}, [
    make('th', { scope: 'row' }, [
      make('span', { 'data-part': 'name' }),
      make('code', { class: 'faint id' }, [id.slice(0, 12)]),
    ]),
    make('td', {}, [
      make('span', { class: 'pill', 'data-part': 'state' }),
      make('span', { class: 'error', 'data-part': 'error' }),
    ]),
    make('td', { 'data-part': 'node' }),
    make('td', { class: 'number', 'data-part': 'size' }),
    make('td', { class: 'exports', 'data-part': 'exports' }),
  ]);
}

/** @param {HTMLElement} row @param {VolumeItem} volume */
function showVolume(row, { name, state, node, to, reservedGib, exports, error }) {
  mark(row, 'state', state);
  say(partOf(row, 'name'), name);
  say(partOf(row, 'state'), state);
  say(partOf(row, 'error'), error ?? '');
  say(partOf(row, 'node'), to === null || to === node ? (node ?? '—') : `${node ?? '—'} → ${to}`);
  say(partOf(row, 'size'), String(Math.round(reservedGib * 1000) / 1000));
  const told = exports.map(({ host, consumers, access, squash }) => ({
    key: `${host} ${access} ${squash} ${consumers}`,
    text: `${consumers.length > 0 ? consumers.join(', ') : host} ${access}`,
    title: `${host}, ${access}, squash ${squash}`,
  }));
  const cell = partOf(row, 'exports');
  keep(cell, told.length === 0 ? [{ key: '', text: 'nobody', title: 'it is not exported' }] : told, {
    keyOf: ({ key }) => key,
    make: ({ key, text, title }) => make('span', { class: key === '' ? 'faint' : 'chip', title }, [text]),
  });
}
