// SIGTERM and its grace, to a member or to one role of a node.

import { halting } from './halting.ts';
import type { SpecOf } from './spec.ts';

export const stop = halting<SpecOf<'stop'>>({ begins: 'stop', ends: 'start' });
