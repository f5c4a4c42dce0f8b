// What the rig can set on a node whether it runs or not.

export interface Switches {
  /** How far the node's wall clock is ahead now. */
  aheadMs(node: string): number;
  /** Failpoints that are switched on there, as text. */
  failpoints(node: string): string;
}
