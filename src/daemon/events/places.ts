// A few places that readers hold for as long as they are catching up, each with a picture and a watch of
// its own. Whoever waits takes turns with whoever is slow, so that slow readers can't keep others out.

import type { Clock } from '../../base/clock.ts';
import { createTurns } from '../../base/turns.ts';

export interface PlaceOptions {
  readonly limit: number;
  /** How long a place is held at least while others wait for one. */
  readonly turnMs: number;
  readonly clock: Clock;
}

/** To be left, once or more often. */
export interface PlaceHeld {
  /** True when the turn is over: others wait, and it was long enough. */
  readonly isOver: () => boolean;
  leave(): void;
}

export interface Places {
  /** True when whoever comes now has to wait. */
  readonly isFull: boolean;
  /** In the order of arrival. Undefined when the signal fires first. */
  take(signal: AbortSignal): Promise<PlaceHeld | undefined>;
}

export function createPlaces({ limit, turnMs, clock }: PlaceOptions): Places {
  const turns = createTurns(limit);
  return {
    get isFull() {
      return turns.isFull;
    },
    take: async (signal) => {
      const leave = await turns.begin(signal).catch(() => undefined);
      if (leave === undefined) return undefined;
      const startedMs = clock.monotonicMs();
      return { isOver: () => turns.isAwaited && clock.monotonicMs() - startedMs >= turnMs, leave };
    },
  };
}
