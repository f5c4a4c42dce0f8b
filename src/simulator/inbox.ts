// What one side of a connection has sent and the other has yet to read, in order.

export interface Inbox<T> {
  push(item: T): void;
  /** Whoever reads has the rest first; then it ends, by throwing if there is an error. */
  end(error?: Error): void;
  /** For one reader, which takes one after the other. */
  next(): Promise<IteratorResult<T, undefined>>;
}

export function createInbox<T>(): Inbox<T> {
  const items: T[] = [];
  let ended: { readonly error: Error | undefined } | undefined;
  let reader: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined;
  const handOver = (): void => {
    if (reader === undefined) return;
    const { resolve, reject } = reader;
    if (items.length > 0) resolve({ done: false, value: items.shift() as T });
    else if (ended === undefined) return;
    else if (ended.error !== undefined) reject(ended.error);
    else resolve({ done: true, value: undefined });
    reader = undefined;
  };
  return {
    push: (item) => {
      if (ended !== undefined) return;
      items.push(item);
      handOver();
    },
    end: (error) => {
      ended ??= { error };
      handOver();
    },
    next: () => {
      reader = Promise.withResolvers();
      const { promise } = reader;
      handOver();
      return promise;
    },
  };
}
