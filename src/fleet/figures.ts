// What a fleet counts of itself, in the same space however long it runs.

export interface Figures {
  registered: number;
  lostLeases: number;
  failedHeartbeats: number;
  readonly heartbeats: Distribution;
  transactions: number;
  failedTransactions: number;
  warnings: number;
  errors: number;
}

export interface Distribution {
  readonly count: number;
  add(ms: number): void;
  /** An upper bound that is at most 5 % too high; 0 while there is nothing. */
  quantile(share: number): number;
  reset(): void;
}

const STEP = 1.05;
const LEAST_MS = 0.05;

/** Counts by buckets, each 5 % wider than the one before. */
export function createDistribution(): Distribution {
  let buckets = new Map<number, number>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    add: (ms) => {
      const bucket = Math.max(0, Math.ceil(Math.log(ms / LEAST_MS) / Math.log(STEP)));
      buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1);
      count += 1;
    },
    quantile: (share) => {
      let left = Math.ceil(count * share);
      for (const [bucket, inside] of [...buckets].sort(([a], [b]) => a - b)) {
        left -= inside;
        if (left <= 0) return LEAST_MS * STEP ** bucket;
      }
      return 0;
    },
    reset: () => {
      buckets = new Map();
      count = 0;
    },
  };
}

export function createFigures(): Figures {
  return {
    registered: 0,
    lostLeases: 0,
    failedHeartbeats: 0,
    heartbeats: createDistribution(),
    transactions: 0,
    failedTransactions: 0,
    warnings: 0,
    errors: 0,
  };
}
