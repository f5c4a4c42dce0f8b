// Every node, one after the other, is made anew from another image, or from the one
// that it has, over its own disk. There is no way back: healing it starts what was left down.

import { endIfRunning, restarting } from './restarting.ts';
import type { SpecOf } from './spec.ts';

export const rollingUpgrade = restarting<SpecOf<'rolling-upgrade'>>({
  family: 'cluster',
  order: 'one-by-one',
  describe: ({ image }) => `a rolling upgrade of all nodes to ${image ?? 'the image that they have'}`,
  missing: async ({ deployment }, { image }) =>
    image === undefined || (await deployment.hasImage(image)) ? undefined : `there is no image ${image} here`,
  members: (_, { nodes }) => nodes,
  end: async (site, member, { image }) => {
    await endIfRunning(site, 'stop', member);
    await site.deployment.renew(member, image);
  },
});
