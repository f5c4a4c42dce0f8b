// What a node's clock says, by the answers of its API.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { ClockReading } from '../deployment.ts';

const READ_WITHIN_MS = 2_000;
/** An answer's Date is in whole seconds, and made once a second by a timer that may be late. */
const DATE_PRECISION_MS = 1_100;

/** `api`: base URL of the node's API. */
export async function readClock(clock: Clock, api: string): Promise<ClockReading> {
  const beforeMs = clock.nowMs();
  const { headers } = await fetch(`${api}/healthz`, { signal: AbortSignal.timeout(READ_WITHIN_MS) });
  return readingOf(headers.get('date'), { beforeMs, afterMs: clock.nowMs() });
}

/** Of an answer's Date header, and when it was asked for and came. Throws `machine` when there is none. Pure. */
export function readingOf(
  date: string | null,
  { beforeMs, afterMs }: { readonly beforeMs: number; readonly afterMs: number },
): ClockReading {
  const saidMs = Date.parse(date ?? '');
  if (Number.isNaN(saidMs)) throw new RigError('machine', `an answer without a date: ${date}`);
  return { leastMs: saidMs - afterMs, mostMs: saidMs + DATE_PRECISION_MS - beforeMs };
}
