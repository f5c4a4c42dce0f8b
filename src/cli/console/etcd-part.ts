// What the console knows by way of etcd alone, of clusters and fleets alike: keys, leader and
// its lease, and since when nobody has answered.

import type { Clock } from '../../base/clock.ts';
import type { RigError } from '../../base/errors.ts';
import { LEADER_KEY } from '../../kv/keys.ts';
import type { EtcdItem } from '../../rig/console/items.ts';
import { createKeyHistory, type KeyHistory } from '../../rig/console/key-history.ts';
import { itemsOf, type SeenMember } from '../../rig/console/view.ts';
import { followKeys } from './follow-keys.ts';
import type { Hub } from './hub.ts';
import { watchLease } from './watch-lease.ts';

export interface EtcdPart {
  readonly history: KeyHistory;
  /** Where it is reached by now. */
  reachedAt(urls: readonly string[]): void;
  /** The members by now: what etcd says of them is shown with them. */
  membersAre(members: readonly SeenMember[]): void;
  readonly done: Promise<void>;
}

export function createEtcdPart(options: {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): EtcdPart {
  const { hub, clock, signal } = options;
  const history = createKeyHistory();
  let members: readonly SeenMember[] = [];
  let urls: readonly string[] = [];
  /** Undefined before it was asked. */
  let stale: EtcdItem['stale'] | undefined;
  let isRead = false;
  const lost: { watch: RigError | undefined; answer: RigError | undefined } = {
    watch: undefined,
    answer: undefined,
  };

  const show = (): void => {
    if (stale !== undefined) {
      const etcd: EtcdItem = { is: 'etcd', revision: history.to, from: history.from, stale };
      hub.set('etcd', { etcd });
    }
    hub.set('view', () => itemsOf(history.at(history.to), members));
  };
  const reach = (): void => {
    // An answer alone says nothing about the keys.
    if (stale === undefined && !isRead && lost.watch === undefined && lost.answer === undefined) return;
    const why = lost.watch ?? lost.answer;
    const next = why === undefined ? null : { sinceMs: stale?.sinceMs ?? clock.nowMs(), why: why.message };
    if (stale !== undefined && next?.sinceMs === stale?.sinceMs && next?.why === stale?.why) return;
    stale = next;
    show();
  };
  const keys = followKeys({
    ...{ history, hub, clock, signal, onChange: show },
    onReach: (error) => {
      isRead ||= error === undefined;
      lost.watch = error;
      reach();
    },
  });
  const lease = watchLease({
    ...{ clock, signal, urls: () => urls },
    lease: () => history.entryAt(LEADER_KEY, history.to)?.lease ?? null,
    onLease: (item) => hub.set('lease', item === undefined ? {} : { lease: item }),
    onAnswer: (error) => {
      lost.answer = error;
      reach();
    },
  });
  return {
    history,
    reachedAt: (found) => {
      urls = found;
      keys.reachedAt(found);
    },
    membersAre: (known) => {
      members = known;
      show();
    },
    done: Promise.all([keys.done, lease]).then(() => undefined),
  };
}
