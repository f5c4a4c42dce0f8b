// The disk reads and writes no more than so much in a second.

import { diskCondition } from './disk-condition.ts';
import type { SpecOf } from './spec.ts';

type Slow = SpecOf<'disk-slow'>;

/** Long enough to stand out from what a busy machine takes for a write. */
const PROBE_MS = 2_000;
const LARGEST_PROBE_BYTES = 64 * 1024 ** 2;

/** A kbit/s is as many bits in a millisecond. */
const probeBytes = ({ kbitPerSecond }: Slow): number =>
  Math.min(LARGEST_PROBE_BYTES, Math.ceil((PROBE_MS * kbitPerSecond) / 8));
const leastMs = (spec: Slow): number => (probeBytes(spec) * 8) / spec.kbitPerSecond;

export const diskSlow = diskCondition<Slow>({
  name: ({ kbitPerSecond }) => `disk of ${kbitPerSecond} kbit/s`,
  condition: ({ kbitPerSecond }) => ({ is: 'slow', kbitPerSecond }),
  probeBytes,
  // What is beyond the limit at first, and what is not written at all, is less than a fifth.
  shows: ({ outcome, tookMs }, spec) => outcome === 'written' && tookMs >= 0.8 * leastMs(spec),
  gone: ({ outcome, tookMs }, spec) => outcome === 'written' && tookMs < 0.8 * leastMs(spec),
});
