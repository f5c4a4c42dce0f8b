// The nodes with the most room first, kept up while a plan gives room away. A heap, because
// a plan may place thousands of volumes on thousands of nodes.

/** Figures that may fall meanwhile, and never rise. */
interface Ranked {
  readonly name: string;
  readonly freeBytes: number;
  readonly availableBytes: number;
}

export interface Ranking<Room extends Ranked> {
  /** How many nodes there are to choose from. */
  readonly size: number;
  /** The node with the most room but for those named, if that is enough for `bytes`; the first by name of equals. */
  find(bytes: number, except: string | null, avoid?: ReadonlySet<string>): Room | undefined;
}

interface Entry<Room extends Ranked> {
  readonly room: Room;
  /** As of when the entry was last put in its place; since then the room can only have shrunk. */
  bytes: number;
}

/** A volume needs both: that the node may reserve as much, and that its disk has as much. */
const roomIn = ({ freeBytes, availableBytes }: Ranked): number => Math.min(freeBytes, availableBytes);

const isBefore = (a: Entry<Ranked>, b: Entry<Ranked>): boolean =>
  a.bytes === b.bytes ? a.room.name < b.room.name : a.bytes > b.bytes;

export function createRanking<Room extends Ranked>(rooms: readonly Room[]): Ranking<Room> {
  // What is sorted is a heap.
  const heap: Entry<Room>[] = rooms
    .map((room) => ({ room, bytes: roomIn(room) }))
    .sort((a, b) => (isBefore(a, b) ? -1 : 1));
  /** The best, after every entry above its place has gone down to it. */
  const top = (): Entry<Room> | undefined => {
    for (;;) {
      const [entry] = heap;
      if (entry === undefined) return undefined;
      const bytes = roomIn(entry.room);
      if (entry.bytes === bytes) return entry;
      entry.bytes = bytes;
      sink(heap);
    }
  };

  return {
    size: rooms.length,
    find: (bytes, except, avoid) => {
      const passedOver: Entry<Room>[] = [];
      let best = top();
      while (best !== undefined && (best.room.name === except || avoid?.has(best.room.name))) {
        passedOver.push(best);
        removeTop(heap);
        best = top();
      }
      for (const entry of passedOver) insert(heap, entry);
      return best !== undefined && best.bytes >= bytes ? best.room : undefined;
    },
  };
}

function insert<Room extends Ranked>(heap: Entry<Room>[], entry: Entry<Room>): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!swapIfBefore(heap, index, parent)) return;
    index = parent;
  }
}

function removeTop<Room extends Ranked>(heap: Entry<Room>[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  heap[0] = last;
  sink(heap);
}

/** Takes the top down to where it belongs. */
function sink<Room extends Ranked>(heap: Entry<Room>[]): void {
  let index = 0;
  for (;;) {
    const [left, right] = [2 * index + 1, 2 * index + 2];
    const [leftEntry, rightEntry] = [heap[left], heap[right]];
    if (leftEntry === undefined) return;
    const child = rightEntry !== undefined && isBefore(rightEntry, leftEntry) ? right : left;
    if (!swapIfBefore(heap, child, index)) return;
    index = child;
  }
}

function swapIfBefore<Room extends Ranked>(heap: Entry<Room>[], lower: number, upper: number): boolean {
  const [below, above] = [heap[lower], heap[upper]];
  if (below === undefined || above === undefined || !isBefore(below, above)) return false;
  heap[lower] = above;
  heap[upper] = below;
  return true;
}
