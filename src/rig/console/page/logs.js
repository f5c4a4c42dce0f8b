// The logs of all members as one, by what somebody wants to see of them.

import { element } from '../../report/page/dom.js';
import { keep, make, put } from './build.js';
import { all, whenChanged } from './state.js';

/** @typedef {import('../log-lines.ts').ConsoleLogLine} LogLine */

const MOST_KEPT = 4000;
const MOST_SHOWN = 400;
const LEVELS = ['debug', 'info', 'warn', 'error'];

/** @param {LogLine} line @param {readonly string[]} filter member, role, least level and words; empty: whatever it is */
function isWanted(line, [of = '', role = '', level = '', words = '']) {
  const wanted = words.toLowerCase().split(/\s+/);
  return (
    (of === '' || line.member === of) &&
    (role === '' || line.role === role) &&
    LEVELS.indexOf(line.level) >= LEVELS.indexOf(level) &&
    wanted.every((word) => line.text.toLowerCase().includes(word))
  );
}

/** Shows all of a long line, or less again; not while somebody marks it. @param {EventTarget | null} line */
function openLine(line) {
  if (line instanceof HTMLElement && String(getSelection()) === '') line.classList.toggle('open');
}

/** @param {(atMs: number) => string} timeText */
export function createLogs(timeText) {
  const list = element('log-lines', HTMLElement);
  const follow = element('logs-follow', HTMLInputElement);
  const member = element('logs-member', HTMLSelectElement);
  const controls = [
    member,
    element('logs-role', HTMLSelectElement),
    element('logs-level', HTMLSelectElement),
    element('logs-search', HTMLInputElement),
  ];
  /** @type {LogLine[]} */
  let lines = [];

  /** @param {LogLine} line */
  const fits = (line) =>
    isWanted(
      line,
      controls.map(({ value }) => value),
    );
  /** @param {LogLine} line */
  const lineOf = ({ atMs, member: of, role, level, text }) =>
    make('li', { 'data-level': level, onclick: ({ currentTarget }) => openLine(currentTarget) }, [
      make('time', {}, [atMs === 0 ? '' : timeText(atMs)]),
      make('b', {}, [role === '' ? of : `${of} ${role}`]),
      make('span', {}, [text]),
    ]);
  /** @param {number} count */
  const settle = (count) => {
    while (list.childElementCount > MOST_SHOWN) list.firstElementChild?.remove();
    put(element('logs-count', HTMLElement), `${lines.length} lines are kept`);
    element('logs-empty', HTMLElement).hidden = list.childElementCount > 0;
    if (follow.checked && count > 0) list.scrollTop = list.scrollHeight;
  };
  const show = () => {
    const found = lines.filter(fits).slice(-MOST_SHOWN);
    list.replaceChildren(...found.map(lineOf));
    settle(found.length);
  };
  for (const control of controls) control.addEventListener('input', show);
  follow.addEventListener('input', () => settle(1));
  // Whoever scrolls back wants to read.
  list.addEventListener('wheel', (event) => {
    if (event.deltaY < 0) follow.checked = false;
  });
  whenChanged(() => {
    const names = ['', ...all('member').map(({ name }) => name)];
    keep(member, names.slice(0, 200), {
      keyOf: (name) => name,
      make: (name) => make('option', { value: name }, [name === '' ? 'all members' : name]),
    });
  });
  member.replaceChildren();
  return {
    /** @param {readonly LogLine[]} more */
    add: (more) => {
      lines = [...lines, ...more].slice(-MOST_KEPT);
      const found = more.filter(fits).slice(-MOST_SHOWN);
      list.append(...found.map(lineOf));
      settle(found.length);
    },
    /** @param {readonly LogLine[]} instead */
    reset: (instead) => {
      lines = [...instead];
      show();
    },
  };
}
