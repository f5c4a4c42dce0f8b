// Small helpers for the page.

/**
 * The element of the page's own markup with this id.
 * @template {HTMLElement} E
 * @param {string} id
 * @param {new () => E} type
 * @returns {E}
 */
export function element(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${type.name} #${id}`);
}

/**
 * A cell at the end of the row.
 * @param {HTMLTableRowElement} row
 * @param {string | number} text
 * @param {string} [style]
 */
export function cell(row, text, style) {
  const added = row.insertCell();
  added.textContent = String(text);
  if (style !== undefined) added.className = style;
  return added;
}

/**
 * A cell of two lines of a long text, and all of it after a click on its row or Enter.
 * @param {HTMLTableRowElement} row
 * @param {string} text
 */
export function longCell(row, text) {
  const added = row.insertCell();
  added.className = 'mono long';
  const inner = document.createElement('div');
  inner.textContent = text;
  added.append(inner);
  if (text.length < 160) return;
  row.tabIndex = 0;
  row.addEventListener('click', () => {
    if (String(getSelection()) === '') row.classList.toggle('open');
  });
  row.addEventListener('keydown', (press) => {
    if (press.key === 'Enter') row.classList.toggle('open');
  });
}

/**
 * A link that shows the span in the time line.
 * @param {number} fromMs
 * @param {number} toMs
 * @param {string} text
 */
export function momentLink(fromMs, toMs, text) {
  const link = document.createElement('a');
  link.href = `#t=${Math.floor(fromMs)}-${Math.ceil(toMs)}`;
  link.textContent = text;
  return link;
}

/** Runs `draw` at most once a frame. @param {() => void} draw */
export function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}

/**
 * Runs `act` whenever the element gets another width; that it has one is no news.
 * @param {HTMLElement} watched
 * @param {() => void} act
 */
export function onNewWidth(watched, act) {
  let width = watched.clientWidth;
  new ResizeObserver(() => {
    if (watched.clientWidth === width) return;
    width = watched.clientWidth;
    act();
  }).observe(watched);
}

/** The page's colours, as they are now. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  /** @type {Map<string, string>} */
  const known = new Map();
  /** @param {string} name */
  return (name) => {
    const value = known.get(name) ?? style.getPropertyValue(`--${name}`).trim();
    known.set(name, value);
    return value;
  };
}
