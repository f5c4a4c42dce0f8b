// Doing the same to many things, several at a time.

/**
 * The results in the order of the items. After a failure nothing new is begun;
 * it rejects with the first one when all that was begun has ended.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  options: { readonly concurrency: number; readonly each: (item: T) => Promise<R> },
): Promise<readonly R[]> {
  const results: R[] = [];
  const failures: unknown[] = [];
  const left = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined && failures.length === 0; next = left.shift()) {
      const [index, item] = next;
      try {
        results[index] = await options.each(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return results;
}
