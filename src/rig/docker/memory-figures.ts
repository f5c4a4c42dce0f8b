// What the engine and the kernel say of a container's memory.

export interface MemoryStats {
  readonly memory_stats: {
    readonly usage?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
}

/** What can't be taken back from its processes; by version 1 or 2 of the control groups. */
export function anonymousBytes({ memory_stats: { usage = 0, stats = {} } }: MemoryStats): number {
  const processes = stats.total_rss ?? stats.rss ?? stats.anon ?? usage;
  return processes + (stats.total_shmem ?? stats.shmem ?? 0);
}

/** Of `memory.oom_control` or `memory.events`. */
export const killsOf = (text: string): number => Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
