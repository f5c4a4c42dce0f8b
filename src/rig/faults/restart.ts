// SIGKILL to a member, and at once a start.

import { restarting } from './restarting.ts';
import { describeSelector, select } from './select.ts';
import type { SpecOf } from './spec.ts';

export const restart = restarting<SpecOf<'restart'>>({
  family: 'process',
  order: 'at-once',
  describe: ({ on }) => `restart ${describeSelector(on)}`,
  members: ({ on }, view, random) => select(on, view, random),
  // Of one that is down already this throws `conflict`: to start it alone would be no restart.
  end: (site, member) => site.act('kill', member),
});
