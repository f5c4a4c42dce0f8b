import { threeNodes } from './common.ts';
import { faultFamily } from './fault-family.ts';

/** Wall clocks that are wrong, of one node and of all: nothing that is agreed on may hang on them. */
export const faultsClock = faultFamily({
  name: 'faults-clock',
  title: 'Clients work while wall clocks are ahead, behind, jump and drift',
  topology: { ...threeNodes, nodes: threeNodes.nodes.map((node) => ({ ...node, clock: 'own' as const })) },
  faults: [
    { inject: { fault: 'clock-offset', on: 'leader', offsetMs: 600_000 } },
    { inject: { fault: 'clock-offset', on: 'follower', offsetMs: -600_000 } },
    { inject: { fault: 'clock-jump', on: 'all', spanMs: 60_000 } },
    { inject: { fault: 'clock-drift', on: 'leader', rate: 3 } },
    { inject: { fault: 'clock-drift', on: 'one', rate: 0.2 } },
  ],
});
