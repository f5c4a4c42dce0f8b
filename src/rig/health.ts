// Whether a cluster that nobody disturbs is well.

import { observe } from './conditions.ts';
import { type Health, healthBoundMs } from './faults/health.ts';
import type { Names, Stage } from './stage.ts';

/** Of the nodes that are in the cluster by now. */
const WELL = [{ etcdAnswers: 'all' }, { ready: 'all' }, { registered: 'all' }, { leader: 'one' }] as const;

export function healthOf({ deployment, recorder }: Stage, names: Names): Health {
  const view = { deployment, recorder, names, followers: new Map() };
  return {
    boundMs: healthBoundMs(deployment.topology),
    look: async () => {
      const found = await Promise.all(WELL.map((condition) => observe(view, condition)));
      const ill = found.filter(({ holds }) => !holds).map(({ seen }) => seen);
      return {
        holds: ill.length === 0,
        seen: ill.join('; ') || 'every member answers, and one engine leads',
      };
    },
  };
}
