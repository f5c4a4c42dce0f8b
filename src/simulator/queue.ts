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

/** So few that were cancelled are not worth looking for. */
const FEW = 64;

export function createQueue(): Queue {
  /** A binary heap: no entry is due before its parent, at (index - 1) / 2. */
  let heap: Entry[] = [];
  /** Of those in the heap. Most are deadlines that were kept, and are cancelled long before they are due. */
  let cancelled = 0;
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
        if (entry.callback === undefined) return;
        entry.callback = undefined;
        cancelled += 1;
        if (cancelled < FEW || 2 * cancelled < heap.length) return;
        heap = heapOf(heap.filter(isWanted));
        cancelled = 0;
      };
    },
    take: () => {
      for (;;) {
        const first = takeFirst(heap);
        if (first === undefined) return undefined;
        const { callback } = first;
        if (callback === undefined) {
          cancelled -= 1;
          continue;
        }
        // To cancel what has come is in time for nothing.
        first.callback = undefined;
        nowMs = first.dueMs;
        taken += 1;
        queue.doer = undefined;
        return callback;
      }
    },
  };
  return queue;
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.place < other.place);

const isWanted = ({ callback }: Entry): boolean => callback !== undefined;

function heapOf(entries: readonly Entry[]): Entry[] {
  const heap: Entry[] = [];
  for (const entry of entries) {
    heap.push(entry);
    rise(heap, entry);
  }
  return heap;
}

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
