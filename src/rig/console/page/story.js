// What happened, the newest first.

import { element } from '../../report/page/dom.js';
import { flash, make } from './build.js';
import { timeOf } from './state.js';

/** @typedef {import('../story.ts').StoryLine} StoryLine */

const MOST_LINES = 200;

/** @param {(atMs: number) => string} [timeText] */
export function createStoryList(timeText = timeOf) {
  const list = element('story', HTMLElement);
  const empty = element('story-empty', HTMLElement);
  /** @param {StoryLine} line */
  const lineOf = ({ atMs, tone, text }) =>
    make('li', { 'data-tone': tone }, [make('time', {}, [timeText(atMs)]), make('span', {}, [text])]);
  const settle = () => {
    while (list.childElementCount > MOST_LINES) list.lastElementChild?.remove();
    empty.hidden = list.childElementCount > 0;
  };
  return {
    /** @param {readonly StoryLine[]} lines */
    reset: (lines) => {
      list.replaceChildren(...lines.slice(-MOST_LINES).reverse().map(lineOf));
      settle();
    },
    /** @param {readonly StoryLine[]} lines */
    add: (lines) => {
      for (const line of lines) {
        const shown = lineOf(line);
        list.prepend(shown);
        flash(shown);
      }
      // One sentence is enough for whoever listens: the last that matters.
      const told = lines.findLast(({ tone }) => tone !== 'plain');
      if (told !== undefined) element('said', HTMLElement).textContent = told.text;
      settle();
    },
  };
}
