// Colours for whoever reads on a terminal. NO_COLOR and pipes get none: Node.js sees to that.

import { styleText } from 'node:util';

type Style = 'good' | 'bad' | 'doubtful' | 'strong' | 'faint';

const FORMATS = { good: 'green', bad: 'red', doubtful: 'yellow', strong: 'bold', faint: 'dim' } as const;

export const coloured = (style: Style, text: string): string =>
  styleText(FORMATS[style], text, { stream: process.stdout });
