// What a plan consists of: at most one action a volume, each one transaction.

import type { MoveCause, Volume } from '../../model/volume.ts';

export type Action =
  /** Gives the volume a node, in place of a dead, draining or broken one if it had one. */
  | { readonly kind: 'assign'; readonly volume: Volume; readonly node: string }
  /** Takes the dead node away: there is no other yet. */
  | { readonly kind: 'unassign'; readonly volume: Volume; readonly reason: string }
  /** Lets the volume's agent make it what was asked for. */
  | { readonly kind: 'grant'; readonly volume: Volume }
  /** Has the clone made on its parent's node. */
  | { readonly kind: 'clone'; readonly volume: Volume; readonly node: string }
  /** Sends the volume to another node. */
  | { readonly kind: 'move'; readonly volume: Volume; readonly node: string; readonly cause: MoveCause }
  /** Calls a move off. */
  | { readonly kind: 'cancel'; readonly volume: Volume; readonly reason: string }
  /** Calls the making of a clone off. */
  | { readonly kind: 'cancel-clone'; readonly volume: Volume; readonly reason: string }
  /** There is nothing (more) to do about the volume. */
  | { readonly kind: 'settle'; readonly volume: Volume }
  /** Says why nothing happens; only when the reason has changed. */
  | { readonly kind: 'delay'; readonly volume: Volume; readonly reason: string }
  /** Another go for a volume in error; `node` is where, or null while there is none. */
  | { readonly kind: 'retry'; readonly volume: Volume; readonly node: string | null }
  /** Deletes the key of a volume that is on no disk, or only on one that is away: its agent will find it orphaned. */
  | { readonly kind: 'drop'; readonly volume: Volume };

export function delay(volume: Volume, reason: string): Action {
  return { kind: 'delay', volume, reason };
}

/** False for a reason that the volume gives already: to write it again would be a change for ever. */
export function isNews(action: Action): boolean {
  return action.kind !== 'delay' || action.volume.control.error !== action.reason;
}
