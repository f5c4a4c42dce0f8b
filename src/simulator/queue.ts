// The one queue of everything that is to happen, and with it the time: it passes
// from one event to the next, and only there.

export interface Queue {
  /** Milliseconds since the beginning. */
  readonly nowMs: number;
  /** Events that were taken so far. */
  readonly taken: number;
  /** Calls back after `ms`; what is due at the same moment comes in the order of its coming. The returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
  /** Who does what is going on now, if anybody: whom an error that nobody handles belongs to. */
  doer: { crash(reason: unknown): void } | undefined;
  /** Takes out the next event and moves time to it; undefined when nothing is left. */
  take(): (() => void) | undefined;
}

interface Entry {
  readonly dueMs: number;
  readonly place: number;
  /** Undefined once it was cancelled. */
  callback: (() => void) | undefined;
}

export function createQueue(): Queue {
  /** A binary heap: no entry is due before its parent, at (index - 1) / 2. */
  const heap: Entry[] = [];
  let nowMs = 0;
  let places = 0;
  let taken = 0;
  const queue: Queue = {
    doer: undefined,
    get nowMs() {
      return nowMs;
    },
    get taken() {
      return taken;
    },
    after: (ms, callback) => {
      places += 1;
      const entry: Entry = { dueMs: nowMs + Math.max(0, ms), place: places, callback };
      heap.push(entry);
      rise(heap, entry);
      return () => {
        entry.callback = undefined;
      };
    },
    take: () => {
      for (;;) {
        const first = takeFirst(heap);
        if (first === undefined) return undefined;
        if (first.callback === undefined) continue;
        nowMs = first.dueMs;
        taken += 1;
        queue.doer = undefined;
        return first.callback;
      }
    },
  };
  return queue;
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.place < other.place);

function takeFirst(heap: Entry[]): Entry | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last !== undefined && last !== first) sink(heap, last);
  return first;
}

/** Puts the entry, for which there is a place at the end, where no parent is due after it. */
function rise(heap: Entry[], entry: Entry): void {
  let index = heap.length - 1;
  while (index > 0) {
    const above = (index - 1) >> 1;
    const parent = heap[above] as Entry;
    if (!isBefore(entry, parent)) break;
    heap[index] = parent;
    index = above;
  }
  heap[index] = entry;
}

/** Puts the entry, in the place of the first, where no child is due before it. */
function sink(heap: Entry[], entry: Entry): void {
  const { length } = heap;
  let index = 0;
  for (let below = 1; below < length; below = 2 * index + 1) {
    const right = below + 1;
    if (right < length && isBefore(heap[right] as Entry, heap[below] as Entry)) below = right;
    const child = heap[below] as Entry;
    if (!isBefore(child, entry)) break;
    heap[index] = child;
    index = below;
  }
  heap[index] = entry;
}
