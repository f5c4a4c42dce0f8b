// A client of a workload: which generators it is made of.

import type { WorkCall } from './call.ts';
import { always, type Generator, inTurn, limited, mixed, until } from './generator.ts';
import { KINDS, type Outlook } from './kinds.ts';
import { WORK, type Workload } from './spec.ts';

export type Client = Generator<Outlook, WorkCall>;

/** Before there are volumes there is next to nothing to do. */
const FIRST_VOLUMES = 1;

/** Orders a volume, if any are to be ordered, and then does what the mix says, without end. */
export function clientOf({ mix }: Workload): Client {
  const parts = WORK.map((work) => ({ weight: mix[work] ?? 0, generator: always(KINDS[work]) }));
  const first = mix.create === undefined ? 0 : FIRST_VOLUMES;
  return inTurn([
    until(
      ({ known, workload }) => known.volumes.size >= workload.volumes.most,
      limited(first, always(KINDS.create)),
    ),
    mixed(parts),
  ]);
}

/** Ends the drains that its knowledge tells of, until there are none. */
export const closing: Client = until(({ known }) => known.draining.size === 0, always(KINDS.undrain));
