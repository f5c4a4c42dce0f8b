// A stream on which somebody listens in.

/**
 * The same stream; `onItem` hears of each item before whoever reads does, `onFailure` says what to pass on in the
 * place of the source's failure. A hand-made iterator, for every event of etcd passes through a few of these: an
 * async generator costs each of them several promises, and several turns of the queue of microtasks.
 */
export function tapped<T>(
  stream: AsyncIterable<T>,
  tap: { readonly onItem?: (item: T) => void; readonly onFailure: (error: unknown) => unknown },
): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const source = stream[Symbol.asyncIterator]();
      return {
        next: () =>
          source.next().then(
            (next) => {
              if (next.done !== true) tap.onItem?.(next.value);
              return next;
            },
            (error: unknown) => {
              throw tap.onFailure(error);
            },
          ),
        return: async (value) => (await source.return?.(value)) ?? { done: true, value },
      };
    },
  };
}
