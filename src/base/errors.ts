// One error type for the whole project, with a closed set of codes, so that a
// caller at any boundary can decide what to do without reading messages.

/**
 * What went wrong, from the caller's point of view.
 *
 * - `invalid`: the input was refused; nothing was tried.
 * - `not_found`: the thing named does not exist.
 * - `conflict`: a compare was lost, or the state does not allow the call.
 * - `fenced`: the writer is no longer the leader; it must stop.
 * - `compacted`: the revision asked for is gone; list again.
 * - `unavailable`: the other side could not be reached.
 * - `timeout`: no answer within the deadline.
 * - `aborted`: the caller gave up (its signal fired).
 * - `io`: a disk, a command or a socket failed.
 * - `unsupported`: this machine or mode cannot do it.
 * - `machine`: the rig or the machine is at fault, not the system under test.
 * - `internal`: a bug in this project.
 */
export type ErrorCode =
  | 'invalid'
  | 'not_found'
  | 'conflict'
  | 'fenced'
  | 'compacted'
  | 'unavailable'
  | 'timeout'
  | 'aborted'
  | 'io'
  | 'unsupported'
  | 'machine'
  | 'internal';

/** Options of {@link RigError}: `definite` defaults to true, `next` and `cause` to none. */
export interface RigErrorOptions {
  /** True when the operation certainly had no effect; false when nobody knows. */
  readonly definite?: boolean;
  /** What the reader can do about it: one imperative sentence. */
  readonly next?: string;
  readonly cause?: unknown;
}

/**
 * The project's only error class. The message names what was tried, on what,
 * and what came back; `next` says what to do.
 */
export class RigError extends Error {
  readonly code: ErrorCode;
  readonly definite: boolean;
  readonly next: string | undefined;

  constructor(code: ErrorCode, message: string, options: RigErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RigError';
    this.code = code;
    this.definite = options.definite ?? true;
    this.next = options.next;
  }

  /** Brings anything thrown into the fold; a RigError passes through unchanged. */
  static from(
    thrown: unknown,
    fallback: { code: ErrorCode; definite?: boolean } = { code: 'internal' },
  ): RigError {
    if (thrown instanceof RigError) return thrown;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new RigError(fallback.code, message, { definite: fallback.definite ?? false, cause: thrown });
  }
}

/** True for a RigError with one of these codes. */
export function hasCode(thrown: unknown, ...codes: readonly ErrorCode[]): thrown is RigError {
  return thrown instanceof RigError && codes.includes(thrown.code);
}
