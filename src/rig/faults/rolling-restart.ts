// Every node, one after the other, is stopped and started.

import { endIfRunning, restarting } from './restarting.ts';
import type { SpecOf } from './spec.ts';

export const rollingRestart = restarting<SpecOf<'rolling-restart'>>({
  family: 'cluster',
  order: 'one-by-one',
  describe: () => 'a rolling restart of all nodes',
  members: (_, { nodes }) => nodes,
  end: (site, member) => endIfRunning(site, 'stop', member),
});
