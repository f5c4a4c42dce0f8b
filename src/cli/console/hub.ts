// Where everything meets that the console knows: what is there by now, and who is to
// be told of what changes.

import type { Clock } from '../../base/clock.ts';
import { changesOf, type Items } from '../../rig/console/items.ts';
import type { KeyAt, KeyChange } from '../../rig/console/key-history.ts';
import { type ConsoleLogLine, createLogTail } from '../../rig/console/log-lines.ts';
import { createStory, type StoryLine } from '../../rig/console/story.ts';

/** What those who look on are told. Times by the wall clock of this process, which `nowMs` tells. */
export type HubEvent =
  | {
      readonly type: 'view';
      readonly nowMs: number;
      /** Nothing that was told before counts. */
      readonly isWhole: boolean;
      readonly set: Items;
      readonly gone: readonly string[];
      readonly story: readonly StoryLine[];
    }
  | {
      readonly type: 'keys';
      readonly revision: number;
      readonly changes: readonly (KeyChange & { readonly now: KeyAt | null })[];
    }
  /** The history of the keys began anew: what was known of it does not count. */
  | { readonly type: 'reset'; readonly revision: number }
  | { readonly type: 'logs'; readonly lines: readonly ConsoleLogLine[] };

export interface Hub {
  readonly items: Items;
  /** What one part of the console knows; all of it, instead of what it knew before. What costs more is asked for when it is to be told. */
  set(part: string, items: Items | (() => Items)): void;
  tell(event: Exclude<HubEvent, { readonly type: 'view' }>): void;
  /** Told of everything from its beginning; ends it. */
  listen(listener: (event: HubEvent) => void): () => void;
}

/** Changes that come so close to each other are told at once. Of a large cluster each costs more. */
const GATHER_MS = 4;
const GATHER_MANY_MS = 120;
const MANY_ITEMS = 400;
const MOST_LOG_LINES = 2_000;

export function createHub(clock: Clock): Hub {
  const parts = new Map<string, () => Items>();
  const listeners = new Set<(event: HubEvent) => void>();
  const story = createStory();
  const logs = createLogTail(MOST_LOG_LINES);
  let items: Items = {};
  let isAwaited = false;

  const flush = (): void => {
    isAwaited = false;
    const after: Items = Object.assign({}, ...[...parts.values()].map((known) => known()));
    const changes = changesOf(items, after);
    if (changes === undefined) return;
    // Whatever is the same stays the same object, so that it is seen at once.
    const settled: Items = Object.fromEntries(
      Object.entries(after).map(([id, item]) => [id, changes.set[id] ?? items[id] ?? item]),
    );
    const nowMs = clock.nowMs();
    const fresh = story.follow({ before: items, after: settled, atMs: nowMs });
    items = settled;
    send({ type: 'view', nowMs, isWhole: false, ...changes, story: fresh });
  };
  const send = (event: HubEvent): void => {
    for (const listener of listeners) listener(event);
  };

  return {
    get items() {
      return items;
    },
    set: (part, known) => {
      parts.set(part, typeof known === 'function' ? known : () => known);
      if (isAwaited) return;
      isAwaited = true;
      clock.after(Object.keys(items).length > MANY_ITEMS ? GATHER_MANY_MS : GATHER_MS, flush);
    },
    tell: (event) => {
      if (event.type === 'logs') logs.add(event.lines);
      send(event);
    },
    listen: (listener) => {
      const whole = { set: items, gone: [], story: story.lines };
      listener({ type: 'view', nowMs: clock.nowMs(), isWhole: true, ...whole });
      listener({ type: 'logs', lines: logs.lines });
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
