// Every read and write of the device fails. BTRFS soon gives it up and takes no more
// writes; nothing but a new mount helps then, so healing it cuts the node's power.

import { diskCondition } from './disk-condition.ts';
import type { SpecOf } from './spec.ts';

export const diskErrors = diskCondition<SpecOf<'disk-errors'>>({
  name: () => 'disk errors',
  condition: () => ({ is: 'failing' }),
  shows: ({ outcome }) => outcome === 'failed' || outcome === 'read-only',
  heal: async (site, node) => {
    const others = site.deployment.disks.inForce(node);
    // It is still failing, or down: the start that ends that does what is done here.
    if (others.some(({ is }) => is === 'failing')) return;
    if ((await site.deployment.state(node)) !== 'running') return;
    await site.act('kill', node);
    await site.act('start', node);
  },
});
