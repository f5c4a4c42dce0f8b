// The only script of report.html: fills the two long tables from the embedded
// record, as far as the reader's filters allow. Without it the rest still reads.

/** Rows shown at once; more would make the page slow and nobody reads them. */
const MOST_ROWS = 400;

/** The content of the page's script element. It reads the JSON of the element `record`. */
export const SEARCH_SCRIPT = `
'use strict';
const record = JSON.parse(document.getElementById('record').textContent);
const seconds = (atMs) => (atMs / 1000).toFixed(3);

function cell(row, text, className) {
  const element = row.insertCell();
  element.textContent = text;
  if (className) element.className = className;
}

// Two lines of a long text, and all of it after a click on its row.
function long(row, text) {
  const element = document.createElement('div');
  element.textContent = text;
  row.insertCell().append(element);
  element.parentNode.className = 'mono long';
}

function fill(name, rows, matches, draw) {
  const body = document.querySelector('#' + name + ' tbody');
  const found = rows.filter(matches);
  const part = document.createElement('tbody');
  part.addEventListener('click', (click) => {
    if (String(getSelection()) === '') click.target.closest('tr').classList.toggle('open');
  });
  for (const each of found.slice(0, ${MOST_ROWS})) draw(part.insertRow(), each);
  body.replaceWith(part);
  const shown = Math.min(found.length, ${MOST_ROWS});
  document.getElementById(name + '-count').textContent =
    shown === found.length ? found.length + ' of ' + rows.length : 'the first ' + shown + ' of ' + found.length + ' found';
}

const searchable = (rows) => rows.map((row) => [row, JSON.stringify(row).toLowerCase()]);
const words = (id) => document.getElementById(id).value.toLowerCase().split(/\\s+/).filter(Boolean);
const events = searchable(record.etcd);
const logs = searchable(record.logs);

function showEvents() {
  const wanted = words('etcd-search');
  fill('etcd', events, ([, text]) => wanted.every((word) => text.includes(word)), (row, [event]) => {
    cell(row, seconds(event.atMs), 'number');
    cell(row, event.revision, 'number');
    cell(row, event.kind, 'tight');
    cell(row, event.key, 'mono tight');
    long(row, event.value ?? '');
  });
}

function showLogs() {
  const wanted = words('logs-search');
  const level = document.getElementById('logs-level').value;
  const container = document.getElementById('logs-container').value;
  const ranks = ['debug', 'info', 'warn', 'error'];
  const matches = ([line, text]) =>
    ranks.indexOf(line.level) >= ranks.indexOf(level) &&
    (container === '' || line.container === container) &&
    wanted.every((word) => text.includes(word));
  fill('logs', logs, matches, (row, [line]) => {
    cell(row, seconds(line.atMs), 'number');
    cell(row, line.container, 'tight');
    cell(row, line.level, 'tight level-' + line.level);
    long(row, line.event === 'text' ? line.fields.text : line.event + ' ' + JSON.stringify(line.fields));
  });
}

for (const id of ['etcd-search']) document.getElementById(id).addEventListener('input', showEvents);
for (const id of ['logs-search', 'logs-level', 'logs-container']) document.getElementById(id).addEventListener('input', showLogs);
showEvents();
showLogs();
`;
