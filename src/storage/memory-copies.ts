// The copies of the modelled disk: freezing, sending, receiving and adopting them.

import { abortError } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { checkedCopy, checkedQuota } from './checked.ts';
import { copyOf, decode, digestOf, emptyContent, encode, type MemoryContent } from './memory-content.ts';
import type { Perform } from './memory-perform.ts';
import type { Copy, Storage } from './storage.ts';

export interface MemoryCopy extends Copy {
  readonly content: MemoryContent;
  /** False while it is being received, and for good if that was cut short. */
  readonly complete: boolean;
}

type CopyCalls = Pick<Storage, 'copies' | 'freeze' | 'send' | 'receive' | 'digest' | 'adopt' | 'discard'>;

export function createMemoryCopies(options: {
  readonly volumes: Map<string, MemoryContent & { quotaBytes: number | null }>;
  /** By {@link copyKey}. */
  readonly copies: Map<string, MemoryCopy>;
  readonly perform: Perform;
}): { readonly calls: CopyCalls; sweep(): void } {
  const { volumes, copies, perform } = options;
  const complete = (): MemoryCopy[] => [...copies.values()].filter((copy) => copy.complete);
  const isComplete = (copy: Copy): boolean => copies.get(copyKey(copy))?.complete === true;
  const contentOf = (copy: Copy): MemoryContent => {
    const found = copies.get(copyKey(copy));
    if (found?.complete === true) return found.content;
    throw new RigError('not_found', `there is no complete copy ${copy.name} of ${copy.id}`);
  };
  const keep = (copy: Copy, kept: { readonly content: MemoryContent; readonly complete: boolean }): void => {
    copies.set(copyKey(copy), { id: copy.id, name: copy.name, ...kept });
  };

  /** What this object is receiving. */
  const busy = new Set<MemoryCopy>();

  const calls: CopyCalls = {
    copies: () => perform('copies', () => complete().map(({ id, name }) => ({ id, name }))),
    freeze: (copy) =>
      perform('freeze', () => {
        if (isComplete(checkedCopy(copy))) return;
        const volume = volumes.get(copy.id);
        if (volume === undefined) throw new RigError('not_found', `there is no subvolume ${copy.id}`);
        keep(copy, { content: copyOf(volume), complete: true });
      }),
    send: async function* (copy, { base } = {}) {
      const [content, baseContent] = await perform('send', () => {
        const other = base === undefined ? undefined : contentOf(checkedCopy({ id: copy.id, name: base }));
        return [contentOf(checkedCopy(copy)), other] as const;
      });
      yield* encode(content, baseContent);
    },
    receive: async (copy, stream) => {
      // As on a real disk: what was there of it goes first, and what a crash leaves is incomplete.
      await perform('receive', () => {
        const present = copies.get(copyKey(checkedCopy(copy)));
        if (present?.complete === true || (present !== undefined && busy.has(present))) {
          throw new RigError('conflict', `copy ${copy.name} of ${copy.id} is here already`);
        }
        keep(copy, { content: emptyContent(), complete: false });
      });
      const begun = copies.get(copyKey(copy));
      if (begun !== undefined) busy.add(begun);
      const bases = (): readonly MemoryContent[] =>
        complete().flatMap(({ id, content }) => (id === copy.id ? [content] : []));
      try {
        const content = await decode(stream, bases);
        if (copies.get(copyKey(copy)) !== begun)
          throw new RigError('io', 'the copy went while it was received');
        keep(copy, { content, complete: true });
      } catch (error) {
        if (copies.get(copyKey(copy)) === begun) copies.delete(copyKey(copy));
        throw RigError.from(error, { code: 'io' });
      } finally {
        if (begun !== undefined) busy.delete(begun);
      }
    },
    digest: (copy, signal) =>
      perform('digest', () => {
        if (signal?.aborted) throw abortError(signal);
        return digestOf(contentOf(checkedCopy(copy)));
      }),
    adopt: (copy, { quotaBytes }) =>
      perform('adopt', () => {
        const checkedBytes = checkedQuota(quotaBytes);
        const volume = volumes.get(checkedCopy(copy).id);
        if (volume === undefined)
          volumes.set(copy.id, { quotaBytes: checkedBytes, ...copyOf(contentOf(copy)) });
        else volume.quotaBytes = checkedBytes;
      }),
    discard: (copy) => perform('discard', () => void copies.delete(copyKey(checkedCopy(copy)))),
  };
  return {
    calls,
    sweep: () => {
      for (const copy of copies.values()) {
        if (!copy.complete && !busy.has(copy)) copies.delete(copyKey(copy));
      }
    },
  };
}

function copyKey({ id, name }: Copy): string {
  return `${id}.${name}`;
}
