// The nodes as cards, the leader first to be seen; members of etcd and consumers as rows.

import { element } from '../../report/page/dom.js';
import { keep, make, mark, partOf, put, say } from './build.js';
import { give } from './link.js';
import { all, canAct, kind, leaderNow, nowMs, one, whenChanged } from './state.js';

/** @typedef {import('../items.ts').MemberItem} MemberItem */

/** More are found by the search. */
const MOST_CARDS = kind === 'fleet' ? 24 : 60;

const STATE_WORDS = {
  running: 'runs',
  frozen: 'frozen',
  down: 'down',
  absent: 'gone',
  off: 'no power',
  unknown: 'known by etcd',
};

export function mountNodes() {
  const cards = element('nodes', HTMLElement);
  const rows = element('others', HTMLElement);
  const search = element('nodes-search', HTMLInputElement);
  const show = () => {
    const members = all('member');
    const nodes = members.filter((member) => member.kind === 'node');
    const found = inOrder(nodes.filter(fits(search.value)));
    keep(cards, found.slice(0, MOST_CARDS), { keyOf: ({ name }) => name, make: cardOf, show: showMember });
    element('nodes-find', HTMLElement).hidden = nodes.length <= 12;
    const shown = Math.min(found.length, MOST_CARDS);
    put(
      element('nodes-count', HTMLElement),
      `${shown} of ${nodes.length} are shown${shown < found.length ? ', those in trouble first' : ''}`,
    );
    element('nodes-empty', HTMLElement).hidden = nodes.length > 0;
    const others = members.filter((member) => member.kind !== 'node');
    keep(rows, others, { keyOf: ({ name }) => name, make: rowOf, show: showMember });
    element('others-title', HTMLElement).hidden = others.length === 0;
  };
  whenChanged(show);
  search.addEventListener('input', show);
  setInterval(showLease, 100);
}

/** Of many those come first that are in trouble. @param {MemberItem[]} nodes */
function inOrder(nodes) {
  const isWell = (/** @type {MemberItem} */ { state, node }) =>
    state === 'running' && node?.registered === true;
  return nodes.length <= MOST_CARDS
    ? nodes
    : [...nodes.filter((one) => !isWell(one)), ...nodes.filter(isWell)];
}

/** @param {string} words @returns {(member: MemberItem) => boolean} */
function fits(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return () => true;
  return ({ name, state, node }) => {
    const text = [
      name,
      STATE_WORDS[state],
      ...Object.entries(node?.labels ?? {}).map((pair) => pair.join('=')),
    ];
    return wanted.every((word) => text.join(' ').toLowerCase().includes(word));
  };
}

/** @param {string} name @returns {HTMLElement} */
function buttonsOf(name) {
  if (kind === 'run') return make('div');
  const names = kind === 'fleet' ? ['power', 'cycle'] : ['kill', 'pause', 'stop', 'restart'];
  return make(
    'div',
    { class: 'acts' },
    names.map((act) => make('button', { type: 'button', 'data-part': act, 'data-name': name }, [act])),
  );
}

/** @param {MemberItem} member */
function cardOf({ name }) {
  const roles = ['api', 'engine', 'agent'].map((role) =>
    make('li', { class: 'role', 'data-part': role }, [make('span', {}, [role]), ...roleButton(name, role)]),
  );
  return make('article', { class: 'card', 'aria-label': name }, [
    make('div', { class: 'line' }, [
      make('h3', {}, [make('i', { class: 'dot', 'aria-hidden': 'true' }), name]),
      make('span', { class: 'leads', 'data-part': 'leads' }, ['leads']),
      make('span', { class: 'word', 'data-part': 'state' }),
    ]),
    make('div', { class: 'lease', 'data-part': 'lease' }, [
      make('i', { 'data-part': 'lease-bar' }),
      make('span', { 'data-part': 'lease-left' }),
    ]),
    make('ul', { class: 'roles', 'aria-label': `roles of ${name}` }, roles),
    make('div', { class: 'meter', 'data-part': 'meter', role: 'img' }, [make('i', { 'data-part': 'used' })]),
    make('p', { class: 'faint facts', 'data-part': 'facts' }),
    buttonsOf(name),
  ]);
}

/** @param {string} name @param {string} role */
function roleButton(name, role) {
  if (kind !== 'cluster') return [];
  const press = () => {
    const member = all('member').find((one) => one.name === name);
    const frozen = member?.roles[/** @type {'api'} */ (role)] === 'frozen';
    void give({ do: frozen ? 'resume' : 'kill', to: [`${name}/${role}`] });
  };
  return [make('button', { type: 'button', onclick: press }, ['kill'])];
}

/** @param {MemberItem} member */
function rowOf({ name, kind: of }) {
  return make('article', { class: 'row', 'aria-label': name }, [
    make('h4', {}, [make('i', { class: 'dot', 'aria-hidden': 'true' }), name]),
    make('span', { class: 'word', 'data-part': 'state' }),
    make('span', { class: 'faint facts', 'data-part': 'facts' }),
    ...(kind === 'fleet' ? [] : [buttonsOf(name)]),
    make('span', { class: 'unseen' }, [of]),
  ]);
}

/** @param {HTMLElement} shown @param {MemberItem} member */
function showMember(shown, member) {
  const { name, state, node } = member;
  const leads = leaderNow()?.node === name;
  mark(shown, 'state', node !== null && state === 'unknown' ? (node.registered ? 'running' : 'down') : state);
  mark(shown, 'leads', String(leads));
  say(partOf(shown, 'state'), wordOf(member));
  showButtons(shown, member);
  if (member.kind !== 'node') {
    put(partOf(shown, 'facts'), member.url ?? member.address ?? '');
    return;
  }
  partOf(shown, 'leads').hidden = !leads;
  for (const role of /** @type {const} */ (['api', 'engine', 'agent'])) showRole(shown, member, role);
  const used = partOf(shown, 'used');
  const share = node?.capacityGib ? Math.min(1, node.reservedGib / node.capacityGib) : 0;
  used.style.width = `${Math.round(share * 100)}%`;
  const text = factsOf(member);
  say(partOf(shown, 'facts'), text);
  partOf(shown, 'meter').setAttribute('aria-label', text);
}

/** @param {MemberItem} member */
function wordOf({ state, node }) {
  if (state === 'running' && node !== null && !node.registered) return 'runs, agent away';
  if (node?.draining) return `${STATE_WORDS[state]}, draining`;
  if (state === 'unknown' && node !== null) return node.registered ? 'registered' : 'away';
  return STATE_WORDS[state];
}

/** @param {HTMLElement} shown @param {MemberItem} member @param {'api' | 'engine' | 'agent'} role */
function showRole(shown, { name, roles }, role) {
  const does = roles[role];
  const chip = partOf(shown, role);
  mark(chip, 'state', does ?? 'none');
  chip.hidden = does === undefined;
  chip.title = `${role} of ${name}: ${does ?? 'not here'}`;
  const button = chip.querySelector('button');
  if (button === null) return;
  const act = does === 'frozen' ? 'thaw' : 'kill';
  put(button, act);
  button.setAttribute('aria-label', `${act} the ${role} of ${name}`);
  button.disabled = does === 'down' || does === undefined || !canAct();
}

/** @param {MemberItem} member */
function factsOf({ node, url }) {
  if (node === null) return url === null ? 'not in etcd' : `not in etcd · ${url}`;
  const gib = (/** @type {number | null} */ value) =>
    value === null ? '?' : String(Math.round(value * 100) / 100);
  const volumes = `${node.volumes} volume${node.volumes === 1 ? '' : 's'}`;
  const labels = Object.entries(node.labels).map((pair) => pair.join('='));
  const disk = node.disk === null ? [] : [`disk: ${node.disk}`];
  return [
    `${gib(node.reservedGib)} of ${gib(node.capacityGib)} GiB reserved`,
    volumes,
    ...disk,
    ...labels,
  ].join(' · ');
}

const ACT_NAMES = {
  kill: { running: ['Kill', 'kill'], frozen: ['Kill', 'kill'], down: ['Start', 'start'] },
  pause: { running: ['Freeze', 'pause'], frozen: ['Thaw', 'resume'], down: ['Freeze', 'pause'] },
  stop: { running: ['Stop', 'stop'], frozen: ['Stop', 'stop'], down: ['Stop', 'stop'] },
  restart: { running: ['Restart', 'restart'], frozen: ['Restart', 'restart'], down: ['Restart', 'restart'] },
};

/** The same places whatever the state is, so that no button goes away from under a pointer. @param {HTMLElement} shown @param {MemberItem} member */
function showButtons(shown, { name, state }) {
  for (const button of shown.querySelectorAll('.acts button')) {
    if (!(button instanceof HTMLButtonElement)) continue;
    const part = button.dataset.part ?? '';
    const { text, order, can } =
      kind === 'fleet' ? powerAct(part, state, name) : memberAct(part, state, name);
    put(button, text);
    button.setAttribute('aria-label', `${text} ${name}`);
    button.disabled = !can;
    button.onclick = () => void give(order);
  }
}

/** @param {string} part @param {MemberItem['state']} state @param {string} name */
function memberAct(part, state, name) {
  const as = state === 'frozen' ? 'frozen' : state === 'down' ? 'down' : 'running';
  const [text = '', act = ''] = ACT_NAMES[/** @type {'kill'} */ (part)][as];
  const isIdle = as === 'down' && part !== 'kill' && part !== 'restart';
  const isHeld = as === 'frozen' && (part === 'stop' || part === 'restart');
  return { text, order: { do: act, to: [name] }, can: canAct() && !isIdle && !isHeld && state !== 'absent' };
}

/** @param {string} part @param {MemberItem['state']} state @param {string} name */
function powerAct(part, state, name) {
  const cluster = one('cluster');
  const power = part === 'cycle' ? 'cycle' : state === 'off' ? 'on' : 'off';
  const text = power === 'cycle' ? 'Power cycle' : `Power ${power}`;
  return {
    text,
    order: { do: 'power', power, to: [name] },
    can: cluster?.gone === null && state !== 'unknown',
  };
}

/** Between two words of etcd's the lease is taken to run on by the clock. */
function showLease() {
  const [lease, leader] = [one('lease'), one('leader')];
  for (const shown of document.querySelectorAll('#nodes > [data-leads="true"]')) {
    if (!(shown instanceof HTMLElement) || leader === undefined) continue;
    const bar = partOf(shown, 'lease-bar');
    const text = partOf(shown, 'lease-left');
    const granted = lease?.grantedSeconds ?? 0;
    if (lease === undefined || granted === 0) {
      put(text, `term ${leader.term}`);
      bar.style.width = '0';
      continue;
    }
    // etcd rounds down, so that it has as much as a second more.
    const gone = (nowMs() - lease.atMs) / 1000;
    const left = Math.max(lease.leftSeconds, Math.min(granted, lease.leftSeconds + 1 - gone));
    bar.style.width = `${(left / granted) * 100}%`;
    put(text, `term ${leader.term} · lease ${left.toFixed(1)} of ${granted} s`);
  }
}
