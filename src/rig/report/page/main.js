// The script of report.html: fills the page from the embedded record. What is
// wrong, and why, stands on the page without it.

import { element } from './dom.js';
import { mountPlots } from './plots.js';
import { mountTables } from './tables.js';
import { mountTimeline } from './timeline.js';
import { createView } from './view.js';
import { mountVolumes } from './volumes.js';
import { around, spanOf } from './window.js';

/** @type {import('../page-data.ts').PageData} */
const data = JSON.parse(element('record', HTMLScriptElement).text);
const view = createView(data.endMs);

mountTimeline(data, view);
mountPlots(data, view);
mountVolumes(data);
mountTables(data, view);

/** A link to a moment shows it, even when it was followed before. @param {string} hash */
function follow(hash) {
  const span = spanOf(hash);
  if (span === undefined) return;
  view.show(around(span, data.endMs));
  element('timeline', HTMLCanvasElement).focus({ preventScroll: true });
  element('timeline-title', HTMLHeadingElement).scrollIntoView();
}
addEventListener('hashchange', () => follow(location.hash));
document.addEventListener('click', (click) => {
  const link = click.target instanceof Element ? click.target.closest('a') : null;
  if (link !== null && link.hash === location.hash) follow(link.hash);
});
follow(location.hash);
document.documentElement.dataset.ready = 'yes';
