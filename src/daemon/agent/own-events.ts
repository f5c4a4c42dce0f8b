// What the watch of all volumes means for this node's.

import { nameIn, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { WatchEvent } from '../../kv/kv.ts';
import type { ViewOptions } from '../../kv/view.ts';
import { ownerOf } from './orphans.ts';
import type { WorkQueue } from './queue.ts';

/** Volumes of this node's that change get their jobs; those that are taken away, a comparison. */
export function createEventHandler(
  node: string,
  { queue, ring }: { readonly queue: Pick<WorkQueue, 'add'>; readonly ring: () => void },
): NonNullable<ViewOptions['onChange']> {
  /** Volumes that were this node's when last seen. */
  const own = new Set<string>();
  const onEvent = (event: WatchEvent): void => {
    const id = nameIn(VOLUMES_PREFIX, event.kind === 'put' ? event.kv.key : event.key);
    const isOwn = event.kind === 'put' && ownerOf(event.kv, node) === 'self';
    if (isOwn) queue.add(id);
    // Taken away: whether it is still exported here must not wait for the interval.
    if (!isOwn && own.delete(id)) ring();
    if (isOwn) own.add(id);
  };
  return (_view, change) => {
    if (change.kind === 'events' && change.events.length > 0) change.events.forEach(onEvent);
    else ring();
  };
}
