// The one window that time line, plots and tables share, and who wants to know of it.

import { within } from './window.js';

/** @typedef {import('./window.js').Span} Span */
/** @typedef {{ readonly span: () => Span, readonly endMs: number, readonly whole: () => boolean, readonly show: (span: Span) => void, readonly follow: (listener: () => void) => void }} View */

/**
 * @param {number} endMs
 * @returns {View}
 */
export function createView(endMs) {
  /** @type {Span} */
  let span = { fromMs: 0, toMs: endMs };
  /** @type {(() => void)[]} */
  const listeners = [];
  return {
    endMs,
    span: () => span,
    whole: () => span.fromMs <= 0 && span.toMs >= endMs,
    show: (wanted) => {
      const next = within(wanted, endMs);
      if (next.fromMs === span.fromMs && next.toMs === span.toMs) return;
      span = next;
      for (const listener of listeners) listener();
    },
    follow: (listener) => {
      listeners.push(listener);
    },
  };
}
