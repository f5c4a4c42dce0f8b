// Elements, made and kept: what is shown already is changed in place, so that nothing
// jumps and whoever has the focus keeps it.

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | ((event: Event) => void)>} [given] attributes; a function is called at that event: `onclick`
 * @param {readonly (Node | string)[]} [children]
 */
export function make(tag, given = {}, children = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'function') made.addEventListener(name.replace(/^on/, ''), value);
    else if (typeof value === 'boolean') made.toggleAttribute(name, value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const calm = matchMedia('(prefers-reduced-motion: reduce)');

/** Shows for a moment that it has changed. @param {Element} changed */
export function flash(changed) {
  if (calm.matches) return;
  const colour = getComputedStyle(document.documentElement).getPropertyValue('--flash');
  changed.animate([{ backgroundColor: colour }, { backgroundColor: 'transparent' }], {
    duration: 1200,
    easing: 'ease-out',
  });
}

/** Sets what it says, and shows that it is new; nothing when it says so already. @param {Element} shown @param {string} text */
export function say(shown, text) {
  if (shown.textContent === text) return;
  const wasEmpty = shown.textContent === '';
  shown.textContent = text;
  if (!wasEmpty) flash(shown);
}

/** As {@link say}, of what changes all the time. @param {Element} shown @param {string} text */
export function put(shown, text) {
  if (shown.textContent !== text) shown.textContent = text;
}

/** Sets an attribute that styles look at. @param {HTMLElement} shown @param {string} name @param {string} value */
export function mark(shown, name, value) {
  if (shown.dataset[name] !== value) shown.dataset[name] = value;
}

/** @template Thing @typedef {{ readonly keyOf: (thing: Thing) => string, readonly make: (thing: Thing) => HTMLElement, readonly show?: (made: HTMLElement, thing: Thing) => void }} Kept */

/** @type {WeakMap<Element, Map<string, HTMLElement>>} */
const keptIn = new WeakMap();

/**
 * The children are these things, in this order; each keeps its element for as long as it is there.
 * @template Thing
 * @param {Element} parent
 * @param {readonly Thing[]} things
 * @param {Kept<Thing>} how
 */
export function keep(parent, things, how) {
  const before = keptIn.get(parent) ?? new Map();
  /** @type {Map<string, HTMLElement>} */
  const after = new Map();
  /** @type {ChildNode | null} */
  let next = parent.firstChild;
  for (const thing of things) {
    const key = how.keyOf(thing);
    const known = before.get(key);
    const child = known ?? how.make(thing);
    how.show?.(child, thing);
    after.set(key, child);
    if (next !== null && child === next) next = next.nextSibling;
    else parent.insertBefore(child, next);
  }
  for (const [key, child] of before) if (!after.has(key)) child.remove();
  keptIn.set(parent, after);
}

/** @param {HTMLElement} within @param {string} part */
export function partOf(within, part) {
  const found = within.querySelector(`[data-part="${part}"]`);
  if (found instanceof HTMLElement) return found;
  throw new Error(`there is no part ${part}`);
}
