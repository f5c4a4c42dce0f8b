// Waiting, with a deadline: for a condition, or through a spell of failures.

import type { Clock } from './clock.ts';
import { RigError } from './errors.ts';
import { below, type Random } from './random.ts';

/**
 * Calls `probe` every `intervalMs` (default 50) until it returns something
 * other than undefined, which is the result. Throws `timeout` after
 * `timeoutMs`, naming `what` and what `describe` says was last seen.
 * A probe that throws is "not yet"; its error is part of the last-seen text.
 */
export async function waitFor<T>(options: {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  readonly probe: () => Promise<T | undefined>;
  /** Given what the last probe threw, if it did. */
  readonly describe?: (error: unknown) => string;
}): Promise<T> {
  const { clock, what, timeoutMs, intervalMs = 50, signal } = options;
  const startedMs = clock.monotonicMs();
  let lastError: unknown;
  for (;;) {
    try {
      const result = await options.probe();
      if (result !== undefined) return result;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (clock.monotonicMs() - startedMs >= timeoutMs) {
      const seen =
        options.describe?.(lastError) ?? (lastError === undefined ? 'not yet true' : String(lastError));
      throw new RigError('timeout', `waited ${timeoutMs} ms for ${what}; last seen: ${seen}`, {
        definite: false,
        cause: lastError,
      });
    }
    await clock.sleep(intervalMs, signal);
  }
}

export interface BackoffOptions {
  readonly random: Random;
  /** 0 for the first. */
  readonly attempt: number;
  readonly baseMs: number;
  readonly capMs: number;
}

/** Waits for as long as {@link backoffMs} says, or until the signal fires; never rejects. */
export async function backOff(
  options: BackoffOptions & { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  await options.clock.sleep(backoffMs(options), options.signal).catch(() => undefined);
}

/** Exponential backoff with equal jitter: from half the ceiling up to it. The ceiling starts at `baseMs` and doubles up to `capMs`. */
export function backoffMs(options: BackoffOptions): number {
  const ceilingMs = Math.min(options.capMs, options.baseMs * 2 ** Math.min(options.attempt, 30));
  return Math.ceil(ceilingMs / 2) + below(options.random, Math.max(1, Math.floor(ceilingMs / 2)));
}
