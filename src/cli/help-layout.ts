// How a command's help is set on the terminal on which it is asked for: in commander's columns where there is room for
// them; where there is not, with each description below what it describes.

import { Help } from 'commander';
import { fitted } from './fitted.ts';

/** The folder of a run, `runs/<time>-<scenario>-<seed>`, is not broken in a column as wide as that. */
const NARROWEST_COLUMN = 32;

/** A pipe has no width, and a terminal may not know its own. */
const columnsOf = ({ helpWidth }: Help): number => helpWidth || 80;

/** For `configureHelp`. */
export const HELP_LAYOUT: Partial<Help> = {
  // However narrow the terminal is, it would break what is left whole.
  minWidthToWrap: 1,

  styleUsage(this: Help, usage) {
    const title = 'Usage: ';
    return fitted(`${title}${usage}`, '  ', columnsOf(this)).slice(title.length);
  },

  formatItem(term, termWidth, description, helper) {
    const columns = columnsOf(helper);
    if (columns - termWidth - 4 >= NARROWEST_COLUMN)
      return Help.prototype.formatItem.call(helper, term, termWidth, description, helper);
    return [`  ${term}`, `    ${description}`].map((line) => fitted(line, '    ', columns)).join('\n');
  },
};
