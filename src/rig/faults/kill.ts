// SIGKILL, to a member or to one role of a node.

import { halting } from './halting.ts';
import type { SpecOf } from './spec.ts';

export const kill = halting<SpecOf<'kill'>>({ begins: 'kill', ends: 'start' });
