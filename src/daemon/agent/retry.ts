// Trying again what failed for want of etcd, soon, and with growing patience.

import type { Clock } from '../../base/clock.ts';
import { hasCode } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { backoffMs } from '../../base/retry.ts';

/** How soon, whatever the interval: at first, and at last. */
const RETRY_BASE_MS = 100;
const RETRY_CAP_MS = 2000;

export interface Retry {
  succeeded(): void;
  failed(cause: unknown, event: string, fields: Readonly<Record<string, unknown>>): void;
  cancel(): void;
}

/**
 * Rings for another comparison after something that failed because etcd did not
 * answer; anything else is logged, and waits for the interval. etcd's absence
 * itself is told elsewhere.
 */
export function createRetry(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly ring: () => void;
}): Retry {
  const { clock, random, log, ring } = options;
  let failures = 0;
  let cancel: (() => void) | undefined;
  return {
    succeeded: () => {
      failures = 0;
    },
    failed: (cause, event, fields) => {
      if (!hasCode(cause, 'unavailable', 'timeout', 'aborted')) log.error(event, { ...fields, cause });
      if (!hasCode(cause, 'unavailable', 'timeout') || cancel !== undefined) return;
      const delayMs = backoffMs({ random, attempt: failures, baseMs: RETRY_BASE_MS, capMs: RETRY_CAP_MS });
      failures += 1;
      cancel = clock.after(delayMs, () => {
        cancel = undefined;
        ring();
      });
    },
    cancel: () => cancel?.(),
  };
}
