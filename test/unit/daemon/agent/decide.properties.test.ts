// Whatever is asked and whatever is found: once the deeds are done and the
// conclusion is written, there is nothing left to do.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { gibToBytes } from '../../../../src/base/units.ts';
import { decide } from '../../../../src/daemon/agent/decide.ts';
import {
  type Conclusion,
  type Decision,
  type Deed,
  NOTHING,
  type Rewrite,
  type Seen,
} from '../../../../src/daemon/agent/decision.ts';
import { type Author, completed, exported, failed, made, rewritten } from '../../../../src/model/changes.ts';
import type { ExportRule } from '../../../../src/model/export.ts';
import { isHandedOver, VOLUME_STATES, type Volume } from '../../../../src/model/volume.ts';
import { actualOf, ID, volumeOf } from '../../model/volumes.ts';

const PARENT = 'vfedcba9876543210';
const COPY = '00000000000000ab-2';
const author: Author = { writer: { role: 'agent', node: 'a', term: null }, nowMs: 0 };

const gib = fc.constantFrom(0.5, 1, 2);
const bytes = gib.map(gibToBytes);
const rules = fc.uniqueArray(
  fc.record<ExportRule>({
    host: fc.constantFrom('10.0.0.1', '10.0.0.2'),
    access: fc.constantFrom('rw', 'ro'),
    squash: fc.constantFrom('none', 'root'),
  }),
  { selector: ({ host }) => host, maxLength: 2 },
);
const subvolumeOf = (id: string) =>
  fc.option(
    fc.record({
      id: fc.constant(id),
      quotaBytes: fc.option(bytes),
      usedBytes: fc.constantFrom(0, gibToBytes(0.75)),
    }),
    { nil: undefined },
  );
const seenOf: fc.Arbitrary<Seen> = fc.record({
  subvolume: subvolumeOf(ID),
  parent: subvolumeOf(PARENT),
  rules: fc.option(rules, { nil: undefined }),
});
const rewriteOf: fc.Arbitrary<Rewrite | undefined> = fc.option(
  fc.oneof(
    fc.record({
      kind: fc.constant('rewritten' as const),
      compression: fc.constantFrom('none' as const, 'zlib' as const),
      before: fc.constant(9),
      after: fc.constant(4),
    }),
    fc.record({ kind: fc.constant('fail' as const), reason: fc.constant('io') }),
  ),
  { nil: undefined },
);

/** Any volume of node a's that etcd could hold. */
const volumes: fc.Arbitrary<Volume> = fc
  .record({
    state: fc.constantFrom(...VOLUME_STATES),
    asked: gib,
    had: gib,
    exports: rules,
    applied: rules,
    isMade: fc.boolean(),
    isHandedOver: fc.boolean(),
  })
  .map(({ state, asked, had, exports, applied, isMade, isHandedOver }) => {
    const unmade = state === 'scheduling' || state === 'cloning';
    const hasActual = isMade || ['ready', 'resizing', 'moving', 'rewriting'].includes(state);
    const isLetIn = !unmade && !(state === 'moving' && isHandedOver);
    const move = { kind: 'move', cause: 'asked', node: 'a', copy: COPY } as const;
    const task =
      state === 'moving'
        ? isHandedOver
          ? move
          : { ...move, node: 'b', copy: null }
        : state === 'rewriting'
          ? ({ kind: 'rewrite', compression: 'zlib' } as const)
          : null;
    return volumeOf(
      {
        state,
        node: 'a',
        requested: { reserved_size: asked, constraints: {} },
        actual: hasActual
          ? actualOf({ reserved_size: unmade ? asked : had, exports: isLetIn ? applied : [] })
          : null,
        exports,
      },
      { task, parent_id: state === 'cloning' ? PARENT : null },
    );
  });

function after(seen: Seen, deed: Deed): Seen {
  const usedBytes = seen.subvolume?.usedBytes ?? 0;
  switch (deed.kind) {
    case 'create':
    case 'adopt':
    case 'set-quota':
      return { ...seen, subvolume: { id: ID, quotaBytes: deed.quotaBytes, usedBytes } };
    case 'clone': {
      const used = seen.subvolume?.usedBytes ?? seen.parent?.usedBytes ?? 0;
      return { ...seen, subvolume: { id: ID, quotaBytes: deed.quotaBytes, usedBytes: used } };
    }
    case 'export':
      return { ...seen, rules: deed.rules };
    case 'unexport':
      return { ...seen, rules: [] };
    case 'trash':
      return { ...seen, subvolume: undefined };
  }
}

/** Undefined: the key is gone. */
function written(volume: Volume, conclusion: Conclusion | undefined): Volume | undefined {
  switch (conclusion?.kind) {
    case undefined:
      return volume;
    case 'forget':
      return undefined;
    case 'record-made':
      return made(volume, author, conclusion);
    case 'complete':
      return completed(volume, author, conclusion);
    case 'record-exports':
      return exported(volume, author);
    case 'rewritten':
      return rewritten(volume, conclusion, author);
    case 'fail':
      return failed(volume, conclusion.reason, author);
  }
}

const decided = (volume: Volume, seen: Seen, rewrite?: Rewrite): Decision => {
  const decision = decide(volume, seen, rewrite);
  if (decision === 'look') throw new Error('it has looked');
  return decision;
};
const applied = (seen: Seen, { deeds }: Decision): Seen => deeds.reduce(after, seen);

describe('what the agent decides', () => {
  it('leaves nothing to do: mostly at once, and after what ended otherwise, with the next look', () => {
    fc.assert(
      fc.property(volumes, seenOf, rewriteOf, (volume, seen, rewrite) => {
        const first = decided(volume, seen, rewrite);
        const next = written(volume, first.conclusion);
        if (next === undefined) return;
        const found = applied(seen, first);
        const second = decided(next, found);
        // A refusal leaves what is there to the upkeep; the end of a rewrite, new exports to be recorded; what
        // is made, its clients to be let in.
        const kind = first.conclusion?.kind;
        if (kind === 'fail' || kind === 'rewritten' || kind === 'record-made') {
          const last = written(next, second.conclusion);
          expect(last === undefined ? NOTHING : decided(last, applied(found, second))).toEqual(NOTHING);
        } else {
          expect(second).toEqual(NOTHING);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('is legal, makes nothing where something should be, and trashes only what is deleted', () => {
    fc.assert(
      fc.property(volumes, seenOf, rewriteOf, (volume, seen, rewrite) => {
        const { deeds, conclusion } = decided(volume, seen, rewrite);
        // The model throws for what it doesn't allow.
        written(volume, conclusion);
        const kinds = deeds.map(({ kind }) => kind);
        const isBegun = ['scheduling', 'cloning'].includes(volume.state) || isHandedOver(volume);
        if (volume.actual !== null && !isBegun) {
          expect(kinds).not.toEqual(expect.arrayContaining([expect.stringMatching(/create|clone|adopt/)]));
        }
        if (volume.state !== 'deleting') expect(kinds).not.toContain('trash');
        // Exported at the end and not before it is there, nor before it is certain to stay.
        if (kinds.includes('export')) expect(kinds.at(-1)).toBe('export');
        if (volume.actual === null && volume.exports.length > 0) expect(kinds).not.toContain('export');
      }),
      { numRuns: 2000 },
    );
  });

  it('goes by etcd alone as it does after a look that finds all as it should be', () => {
    fc.assert(
      fc.property(volumes, (volume) => {
        const blind = decide(volume, undefined);
        if (blind === 'look') return;
        const { actual } = volume;
        const seen: Seen = {
          subvolume: { id: ID, quotaBytes: gibToBytes(actual?.reserved_size ?? 1), usedBytes: 0 },
          rules: actual?.exports ?? [],
        };
        expect(decide(volume, seen)).toEqual(blind);
      }),
    );
  });
});
