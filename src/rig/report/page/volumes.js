// The history of each volume; drawn once somebody opens it.

import { cell, element, momentLink } from './dom.js';
import { searcher } from './rows.js';
import { seconds } from './window.js';

/** @typedef {import('../page-data.ts').PageData} PageData */
/** @typedef {import('../page-data.ts').PageVolume} PageVolume */

/** @param {PageData} data */
export function mountVolumes({ volumes }) {
  const list = element('volumes', HTMLDivElement);
  const drawn = volumes.map((volume) => ({ volume, details: detailsOf(volume) }));
  list.append(...drawn.map(({ details }) => details));
  const search = element('volumes-search', HTMLInputElement);
  search.addEventListener('input', () => {
    const found = searcher(search.value);
    for (const { volume, details } of drawn) details.hidden = !found(`${volume.name} ${volume.id}`);
  });
}

/** @param {PageVolume} volume */
function detailsOf(volume) {
  const details = document.createElement('details');
  const summary = document.createElement('summary');
  const name = document.createElement('strong');
  name.textContent = volume.name;
  const id = document.createElement('code');
  id.textContent = volume.id;
  const last = volume.steps.at(-1);
  const shown =
    volume.steps.length < volume.total ? `${volume.steps.length} of ${volume.total}` : volume.total;
  summary.append(name, ' ', id, ` ${shown} steps; at last ${last === undefined ? 'nothing' : last[2]}`);
  details.append(summary);
  details.addEventListener('toggle', () => details.append(stepsTable(volume)), { once: true });
  return details;
}

/** @param {PageVolume} volume */
function stepsTable({ steps }) {
  const scroll = document.createElement('div');
  scroll.className = 'scroll';
  const table = document.createElement('table');
  const head = table.createTHead().insertRow();
  for (const text of ['Time (s)', 'Revision', 'Change', 'Error']) {
    const heading = document.createElement('th');
    heading.textContent = text;
    head.append(heading);
  }
  const body = table.createTBody();
  for (const [atMs, revision, change, error] of steps) {
    const row = body.insertRow();
    cell(row, '', 'number').append(momentLink(atMs, atMs, seconds(atMs)));
    cell(row, revision, 'number');
    cell(row, change);
    cell(row, error);
  }
  scroll.append(table);
  return scroll;
}
