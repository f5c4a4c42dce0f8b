// What the simulator can't do yet, declared once: faults that need it are on record
// as unavailable.

import { RigError } from '../base/errors.ts';
import type { Deployment } from '../rig/deployment.ts';

const never = (): never => {
  throw new RigError('unsupported', 'the simulator cannot do that');
};
const missing = async (): Promise<string> => 'the simulator cannot do it';

export const missingHardware: Pick<Deployment, 'disks' | 'clocks' | 'failpoints' | 'memory'> = {
  disks: {
    set: never,
    inForce: () => [],
    write: never,
    fillVolume: never,
    emptyVolume: never,
    writeVolume: never,
    missing,
  },
  clocks: { set: never, expectedMs: never, read: never, missing },
  failpoints: { set: never, missing: () => 'the simulator cannot do it' },
  memory: { exhaust: never, lift: never, kills: never, missing },
};
