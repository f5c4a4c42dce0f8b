// A commit that calls at the same time share: each waits for one that began after it asked.

/** One runs at a time; whoever asks meanwhile waits for the next, which serves all of them. */
export function createSharedCommit(commit: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        running = commit();
        return running;
      });
    return next;
  };
}
