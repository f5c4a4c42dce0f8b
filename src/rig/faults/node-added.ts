// A node that starts later joins. It stays.

import { RigError } from '../../base/errors.ts';
import type { Fault } from './fault.ts';
import type { SpecOf } from './spec.ts';
import { startAgain, whole } from './whole.ts';

export const nodeAdded: Fault<SpecOf<'node-added'>> = {
  family: 'cluster',
  describe: ({ node }) => `${node} joins`,
  members: ({ node }, view) => {
    if (!view.nodes.includes(node)) return [node];
    throw new RigError('invalid', `${node} is in the cluster already`);
  },
  inject: (site, { spec }) => site.addNode(spec.node),
  shows: (site, { members }) => whole(site, members),
  heal: (site, { members }) => startAgain(site, members),
  healed: (site, { members }) => whole(site, members),
};
