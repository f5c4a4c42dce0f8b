// Streams and answers that nobody wants to wait for any longer, even if nothing comes any more.

/**
 * The stream until the signal fires: it then throws `reason()`, or simply ends if no reason is given, also while it
 * waits for the next chunk. The source is told to end, but not waited for: it may hang for good.
 *
 * Each wait listens by itself. Raced against one promise that lasts as long as the stream, every chunk
 * would be kept until its end (Promise.race leaves a reaction behind on whichever loses).
 */
export async function* untilAborted<T>(
  stream: AsyncIterable<T>,
  signal: AbortSignal,
  reason?: () => Error,
): AsyncGenerator<T> {
  const source = stream[Symbol.asyncIterator]();
  /** Undefined when the signal has fired. */
  const next = (): Promise<IteratorResult<T, unknown> | undefined> =>
    new Promise((resolve, reject) => {
      const stop = (): void => resolve(undefined);
      if (signal.aborted) {
        stop();
        return;
      }
      signal.addEventListener('abort', stop, { once: true });
      source
        .next()
        .finally(() => signal.removeEventListener('abort', stop))
        .then(resolve, reject);
    });
  try {
    for (;;) {
      const result = await next();
      if (result === undefined && reason !== undefined) throw reason();
      if (result === undefined || result.done === true) return;
      yield result.value;
    }
  } finally {
    void source.return?.()?.catch(() => undefined);
  }
}

/** The answer; `reason()` once the signal has fired. Whatever is under way then goes on, and is not heard any more. */
export function answerUnless<T>(answer: Promise<T>, signal: AbortSignal, reason: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(reason());
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    answer.finally(() => signal.removeEventListener('abort', stop)).then(resolve, reject);
  });
}

/** Resolves when the signal has fired. */
export const whenAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
