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
  /** Undefined once it was taken or cancelled. */
  callback: (() => void) | undefined;
}

/**
 * What is due later than the present span lies unordered with all else of its span. Most of it are deadlines, which
 * are cancelled before their span comes: only what is really to happen is ever put in order, among the few of its span.
 */
const SPAN_MS = 16;
/** After so many spans in which nothing is due the next is looked for among those in which something is. */
const MOST_EMPTY = 1_000;

export function createQueue(): Queue {
  /** A binary heap of what is due by the end of the present span: no entry is due before its parent, at (index - 1) / 2. */
  const heap: Entry[] = [];
  const later = new Map<number, Entry[]>();
  let span = 0;
  let nowMs = 0;
  let places = 0;
  let taken = 0;
  /** Brings in the next span in which something is due; false when there is none. */
  const turnSpan = (): boolean => {
    if (later.size === 0) return false;
    let next = span + 1;
    while (!later.has(next) && next < span + MOST_EMPTY) next += 1;
    span = later.has(next) ? next : [...later.keys()].reduce((least, other) => Math.min(least, other));
    for (const entry of later.get(span) ?? []) if (entry.callback !== undefined) push(heap, entry);
    later.delete(span);
    return true;
  };
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
      const dueSpan = Math.floor(entry.dueMs / SPAN_MS);
      const others = later.get(dueSpan);
      if (dueSpan <= span) push(heap, entry);
      else if (others === undefined) later.set(dueSpan, [entry]);
      else others.push(entry);
      return () => {
        entry.callback = undefined;
      };
    },
    take: () => {
      for (;;) {
        const first = takeFirst(heap);
        if (first === undefined) {
          if (turnSpan()) continue;
          return undefined;
        }
        const { callback } = first;
        if (callback === undefined) continue;
        // Whatever may still know of the entry keeps nothing of what it was for.
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

function takeFirst(heap: Entry[]): Entry | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last !== undefined && last !== first) sink(heap, last);
  return first;
}

/** Puts it at the end, and from there where no parent is due after it. */
function push(heap: Entry[], entry: Entry): void {
  heap.push(entry);
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
