// A span in which a part of the cluster was down, paused, or ran under a fault (checks/outages.ts finds them).

export interface Outage {
  readonly container: string;
  /** The one role that was hit; undefined for the whole container. */
  readonly role: string | undefined;
  /** `impaired`: it ran, but may have been slow, cut off, or in want of something. */
  readonly kind: 'down' | 'paused' | 'impaired';
  /** It lasted at most from `fromMs` to `toMs`; Infinity if it never ended. */
  readonly fromMs: number;
  readonly toMs: number;
  /** It lasted at least from `certainFromMs` to `certainToMs`. */
  readonly certainFromMs: number;
  readonly certainToMs: number;
}
