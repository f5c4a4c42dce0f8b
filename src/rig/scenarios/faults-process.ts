import { LEASE_TTL_MS, threeNodes } from './common.ts';
import { faultFamily } from './fault-family.ts';

/** The node's lease runs out meanwhile, and if it led, another leads. */
const lastsMs = LEASE_TTL_MS + 1_000;

/** Whole nodes and single roles of them end, freeze and come back. */
export const faultsProcess = faultFamily({
  name: 'faults-process',
  title: 'Clients work while processes end and freeze, and nothing that was acknowledged is lost',
  topology: threeNodes,
  faults: [
    { inject: { fault: 'kill', on: 'one' }, lastsMs },
    { inject: { fault: 'stop', on: 'leader' } },
    { inject: { fault: 'pause', on: 'leader' }, lastsMs },
    { inject: { fault: 'restart', on: 'one' } },
    { inject: { fault: 'out-of-memory', on: 'one' } },
    { inject: { fault: 'kill', on: 'one', role: 'api' } },
    { inject: { fault: 'kill', on: 'leader', role: 'engine' } },
    { inject: { fault: 'kill', on: 'one', role: 'agent' } },
    { inject: { fault: 'stop', on: 'one', role: 'agent' } },
    { inject: { fault: 'pause', on: 'leader', role: 'engine' }, lastsMs },
    { inject: { fault: 'pause', on: 'one', role: 'agent' }, lastsMs },
  ],
});
