// How much a thread that simulates may allocate between two collections of what is young.

import { setFlagsFromString } from 'node:v8';

/**
 * For threads that are started from now on. V8 begins with 1 MiB, and nearly all that a simulated event leaves behind
 * lives until a few events later: so small a space is collected so often that much of it is still in use, and copied.
 */
export function growYoungHeap(): void {
  for (const flag of ['--min-semi-space-size=64', '--max-semi-space-size=64']) setFlagsFromString(flag);
}
