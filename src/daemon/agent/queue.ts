// Work on volumes: one job at a time for each volume, several volumes at once.

export interface WorkQueue {
  /** Asks for a job on the volume. While one waits already, the two are one, and it looks if either did. */
  add(id: string, options?: { readonly look?: boolean }): void;
  /** Runs something else in the volume's turn: no job runs on that volume meanwhile. */
  exclusively(id: string, work: () => Promise<void>): Promise<void>;
  /** Holds back whatever hasn't begun; what is added waits. The queue starts held. */
  hold(): void;
  release(): void;
  /** Resolves when nothing runs; for use after `hold`. */
  idle(): Promise<void>;
}

/** `work` must not reject. */
export function createWorkQueue(options: {
  readonly concurrency: number;
  readonly work: (id: string, job: { readonly look: boolean }) => Promise<void>;
}): WorkQueue {
  interface Job {
    readonly id: string;
    readonly run: () => Promise<void>;
  }
  const waiting = new Map<string, { look: boolean }>();
  let special: Job[] = [];
  const running = new Set<string>();
  let held = true;
  let idlers: (() => void)[] = [];

  const nextJob = (): Job | undefined => {
    const exclusive = special.find(({ id }) => !running.has(id));
    if (exclusive !== undefined) {
      special = special.filter((job) => job !== exclusive);
      return exclusive;
    }
    for (const [id, job] of waiting) {
      if (running.has(id)) continue;
      waiting.delete(id);
      return { id, run: () => options.work(id, job) };
    }
    return undefined;
  };
  const pump = (): void => {
    while (!held && running.size < options.concurrency) {
      const job = nextJob();
      if (job === undefined) break;
      running.add(job.id);
      void job.run().finally(() => {
        running.delete(job.id);
        pump();
      });
    }
    if (running.size > 0) return;
    for (const resolve of idlers) resolve();
    idlers = [];
  };

  return {
    add: (id, { look = false } = {}) => {
      const job = waiting.get(id);
      if (job === undefined) waiting.set(id, { look });
      else job.look ||= look;
      pump();
    },
    exclusively: (id, work) =>
      new Promise((resolve, reject) => {
        special.push({ id, run: () => work().then(resolve, reject) });
        pump();
      }),
    hold: () => {
      held = true;
    },
    release: () => {
      held = false;
      pump();
    },
    idle: () =>
      new Promise((resolve) => {
        idlers.push(resolve);
        pump();
      }),
  };
}
