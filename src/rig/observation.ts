// What a look at the cluster comes to.

export interface Observation {
  readonly holds: boolean;
  /** What was seen, for people. */
  readonly seen: string;
  /** Other faults are in the way: it can't be told now. */
  readonly hidden?: true;
  /** True when no later look could make it right. Default: false. */
  readonly isFinal?: boolean;
}
