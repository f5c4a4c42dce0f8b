// The rehearsal: what can be broken, at a press; and what is to be undone.

import { element } from '../../report/page/dom.js';
import { keep, make, mark, partOf, put, say } from './build.js';
import { announce, give } from './link.js';
import { all, canAct, kind, one, whenChanged } from './state.js';

/** @typedef {import('../fault-form.ts').FaultForm} FaultForm */
/** @typedef {import('../fault-form.ts').FaultField} FaultField */

const QUICK = [
  { id: 'kill-leader', text: 'Kill the leader', key: 'k', order: { do: 'kill', to: ['leader'] } },
  { id: 'kill-engine', text: 'Kill its engine', key: '', order: { do: 'kill', to: ['leader/engine'] } },
  { id: 'freeze-leader', text: 'Freeze the leader', key: '', order: { do: 'pause', to: ['leader'] } },
  {
    id: 'cut-leader',
    text: 'Cut it off',
    key: '',
    order: { do: 'fault', fault: 'partition', fields: { on: 'leader', shape: 'isolate' } },
  },
  { id: 'freeze-etcd', text: 'Freeze etcd', key: '', order: { do: 'pause', to: ['etcd'] } },
];

export function mountActs() {
  if (kind === 'cluster') {
    mountQuick();
    mountForm();
    mountUndoAll();
  }
  whenChanged(() => {
    const limits = one('cluster')?.limits ?? null;
    const shown = element('limits', HTMLElement);
    shown.hidden = limits === null;
    put(shown, limits ?? '');
    showOrders();
  });
}

function mountQuick() {
  keep(element('quick', HTMLElement), QUICK, {
    keyOf: ({ id }) => id,
    make: ({ id, text, key }) =>
      make('button', { type: 'button', id, class: 'act', ...(key && { 'aria-keyshortcuts': key }) }, [
        text,
        ...(key ? [make('kbd', { 'aria-hidden': 'true' }, [key])] : []),
      ]),
  });
  for (const { id, order } of QUICK)
    element(id, HTMLButtonElement).addEventListener('click', () => void give(order));
  whenChanged(() => {
    for (const { id, order } of QUICK) {
      const isMeant = !JSON.stringify(order).includes('leader') || one('leader') !== undefined;
      element(id, HTMLButtonElement).disabled = !canAct() || !isMeant;
    }
  });
}

function mountUndoAll() {
  const undoAll = element('undo-all', HTMLButtonElement);
  undoAll.addEventListener('click', () => void give({ do: 'heal', ids: [] }));
  whenChanged(() => {
    undoAll.disabled = !canAct() || all('owed').length === 0;
  });
}

/** @type {readonly FaultForm[]} */
const forms = JSON.parse(element('fault-forms', HTMLScriptElement).text);

function mountForm() {
  const select = element('fault', HTMLSelectElement);
  const form = element('fault-form', HTMLFormElement);
  for (const family of [...new Set(forms.map((one) => one.family))]) {
    const options = forms
      .filter((one) => one.family === family)
      .map(({ fault }) => make('option', {}, [fault]));
    select.append(make('optgroup', { label: family }, options));
  }
  const chosen = () => forms.find(({ fault }) => fault === select.value);
  const fields = element('fault-fields', HTMLElement);
  const show = () => {
    const { fields: all = [], example = '', needs = null } = chosen() ?? {};
    fields.replaceChildren(...all.map(fieldOf));
    put(
      element('fault-note', HTMLElement),
      `Such as ${example}.${needs === null ? '' : ` The topology has to give ${needs}.`}`,
    );
  };
  select.value = 'latency';
  select.addEventListener('input', show);
  show();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const given = [...fields.querySelectorAll('input, select')].flatMap((field) =>
      field instanceof HTMLInputElement || field instanceof HTMLSelectElement
        ? [/** @type {const} */ ([field.name, field.value.trim()])]
        : [],
    );
    const { value: seconds } = element('fault-for', HTMLInputElement);
    void give({
      do: 'fault',
      fault: select.value,
      fields: Object.fromEntries(given.filter(([, value]) => value !== '')),
      ...(seconds !== '' && { forSeconds: Number(seconds) }),
    });
  });
  whenChanged(() => {
    element('fault-inject', HTMLButtonElement).disabled = !canAct();
    const members = all('member').map(({ name }) => name);
    const drawn = [
      'leader',
      'follower',
      'one',
      'minority',
      'majority',
      'all',
      'etcd-leader',
      'etcd-one',
      'etcd-all',
    ];
    keep(element('whom', HTMLElement), [...drawn, ...members], {
      keyOf: (name) => name,
      make: (name) => make('option', { value: name }),
    });
  });
}

/** @param {FaultField} field */
function fieldOf({ name, kind: of, value, isOptional, choices, least, most }) {
  const id = `field-${name}`;
  const label = make('label', { for: id }, [isOptional ? `${name} (may be empty)` : name]);
  if (of === 'choice') {
    const options = [...(isOptional ? [''] : []), ...choices].map((choice) =>
      make('option', { selected: choice === value }, [choice]),
    );
    return make('div', { class: 'field' }, [label, make('select', { id, name }, options)]);
  }
  const bounds = {
    ...(least !== null && { min: String(least) }),
    ...(most !== null && { max: String(most) }),
  };
  const kinds =
    of === 'number' ? { type: 'number', step: 'any', ...bounds } : of === 'whom' ? { list: 'whom' } : {};
  const input = make('input', {
    id,
    name,
    value,
    autocomplete: 'off',
    spellcheck: 'false',
    required: !isOptional,
    ...kinds,
  });
  return make('div', { class: 'field' }, [label, input]);
}

const ORDERS_SHOWN = 3;

function showOrders() {
  const orders = all('order').sort((a, b) => b.number - a.number);
  keep(element('orders', HTMLElement), orders.slice(0, ORDERS_SHOWN), {
    keyOf: ({ number }) => String(number),
    make: () =>
      make('li', {}, [make('span', { 'data-part': 'state' }), make('span', { 'data-part': 'told' })]),
    show: (shown, { what, state, told }) => {
      mark(shown, 'state', state);
      say(partOf(shown, 'state'), state);
      say(partOf(shown, 'told'), told === '' ? what : state === 'failed' ? `${what}: ${told}` : told);
      if (state === 'failed' && shown.dataset.said === undefined) {
        shown.dataset.said = 'yes';
        announce(`${what}: ${told}`);
      }
    },
  });
}

export function mountOwed() {
  if (kind === 'fleet') return;
  const list = element('owed', HTMLElement);
  whenChanged(() => {
    const owed = kind === 'run' ? [] : all('owed');
    const faults = all('fault').map(({ label, evidence }) => ({
      what: label,
      key: label,
      undo: undefined,
      evidence,
    }));
    const things =
      kind === 'run'
        ? faults
        : owed.map(({ what, undo, id }) => ({ what, key: id ?? what, undo, evidence: '' }));
    element('owed-empty', HTMLElement).hidden = things.length > 0;
    keep(list, things, {
      keyOf: ({ key }) => key,
      make: ({ what, undo }) => {
        const button = make('button', { type: 'button', 'aria-label': `Undo: ${what}` }, ['Undo']);
        button.addEventListener('click', () => void give(undo));
        return make('li', {}, [
          make('span', { 'data-part': 'what' }),
          ...(undo === undefined ? [] : [button]),
        ]);
      },
      show: (shown, { what }) => {
        say(partOf(shown, 'what'), what);
        const button = shown.querySelector('button');
        if (button !== null) button.disabled = !canAct();
      },
    });
  });
}
