// How far the heap of a process with thousands of agents may grow beyond what lives in it.

import { setFlagsFromString } from 'node:v8';

/**
 * V8 lets garbage pile up to several times of what lives, the more the less of a processor it gets. With hundreds of
 * MiB that live that would be gigabytes, for a collection now and then that nobody would notice.
 */
export function keepHeapLean(): void {
  setFlagsFromString('--heap-growing-percent=25');
}
