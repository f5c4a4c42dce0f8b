// What the clients of a volume have missed while nobody served it, so that they can be told when
// somebody does: all but to unmount, which they are told at once.

import type { Volume } from './volume.ts';

interface Missed {
  /** The volume as its clients know it. */
  readonly before: Volume;
  /** It has come to another node. */
  readonly moved: boolean;
}

export interface Absences {
  /** Nodes that were seen to leave: the address of each. */
  readonly left: Map<string, string>;
  /** By id, volumes that have changed while nobody served them. */
  readonly missed: Map<string, Missed>;
}

export const noAbsences = (): Absences => ({ left: new Map(), missed: new Map() });

/** Nobody serves the volume, and it has changed. */
export function keepMissed({ missed }: Absences, { before, moved }: Missed): void {
  const earlier = missed.get(before.id);
  missed.set(before.id, { before: earlier?.before ?? before, moved: moved || earlier?.moved === true });
}

/** Answers with what the volume's clients have to be told of, and forgets it: now they are told. */
export function takeMissed({ missed }: Absences, volume: Volume): Missed {
  const found = missed.get(volume.id) ?? { before: volume, moved: false };
  missed.delete(volume.id);
  return found;
}

/** Answers with the address under which the node was when it left, and forgets it; undefined when it wasn't seen to leave. */
export function takeLeft({ left }: Absences, node: string): string | undefined {
  const address = left.get(node);
  left.delete(node);
  return address;
}
