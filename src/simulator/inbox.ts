// What one side of a connection has sent and the other has yet to read, in order.

export interface Inbox<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** Whoever reads has the rest first; then it ends, by throwing if there is an error. */
  end(error?: Error): void;
}

/** For one reader. */
export function createInbox<T>(): Inbox<T> {
  const items: T[] = [];
  let ended: { readonly error: Error | undefined } | undefined;
  let wake = (): void => {};
  return {
    push: (item) => {
      if (ended !== undefined) return;
      items.push(item);
      wake();
    },
    end: (error) => {
      ended ??= { error };
      wake();
    },
    [Symbol.asyncIterator]: async function* () {
      for (;;) {
        const next = items.shift();
        if (next !== undefined) yield next;
        else if (ended === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else if (ended.error !== undefined) throw ended.error;
        else return;
      }
    },
  };
}
