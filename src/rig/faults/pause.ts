// Frozen: connections stay up, nothing answers.

import { halting } from './halting.ts';
import { missingAt } from './hardware.ts';
import type { SpecOf } from './spec.ts';

export const pause = halting<SpecOf<'pause'>>({
  begins: 'pause',
  ends: 'resume',
  // Whoever mounts anything on this machine asks each loop device what it is of, and a frozen FUSE never answers.
  missing: async (site, { on, role }) => {
    if (role !== undefined) return undefined;
    return missingAt(site, on, (name, planned) =>
      planned?.disk === 'breakable'
        ? `no node of this machine can mount its disk while ${name} is frozen: it has disk: 'breakable'`
        : undefined,
    );
  },
});
