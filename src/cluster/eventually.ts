// Waiting for what is to become true, in a mode's own time.

import { type Clock, createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';

export interface EventuallyOptions<T> {
  /** Default: 10,000. */
  readonly withinMs?: number | undefined;
  /** From one look to the next. Default: 50. */
  readonly intervalMs?: number | undefined;
  /** Whether that is it. Default: anything but undefined, null and false. */
  readonly until?: ((value: T) => boolean) | undefined;
  /** What of the value the message shows, as JSON. Default: all. */
  readonly show?: ((value: T) => unknown) | undefined;
  /** For the message: `waited 10000 ms for …`. */
  readonly what?: string | undefined;
}

/** Whose time it is; a cluster is one. */
export interface Timed {
  now(): number;
  sleep(ms: number): Promise<void>;
}

const DEFAULT_WITHIN_MS = 10_000;
/** Of a value in a message. */
const MOST_SHOWN = 500;

/**
 * Looks again and again until the value is what it should be, and answers with it. A look that throws, such as by
 * an `expect`, is not it yet. Throws `timeout` with the value, or the error, that was seen last. `on`: whose
 * time counts; default: real time.
 */
export async function eventually<T>(
  look: () => Promise<T> | T,
  options: EventuallyOptions<T> & { readonly on?: Timed } = {},
): Promise<T> {
  const {
    withinMs = DEFAULT_WITHIN_MS,
    intervalMs = 50,
    until = isThere,
    show = (value: T): unknown => value,
    what = 'what was expected',
    on,
  } = options;
  let seen: { readonly value: T } | undefined;
  const { value } = await waitFor({
    clock: on === undefined ? createSystemClock() : clockOf(on),
    what,
    timeoutMs: withinMs,
    intervalMs,
    probe: async () => {
      seen = undefined;
      const found = { value: await look() };
      seen = found;
      return until(found.value) ? found : undefined;
    },
    describe: (error) =>
      seen === undefined ? RigError.from(error).message : describeValue(show(seen.value)),
  });
  return value;
}

const isThere = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

const clockOf = ({ now, sleep }: Timed): Pick<Clock, 'monotonicMs' | 'sleep'> => ({
  monotonicMs: now,
  sleep,
});

function describeValue(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}
