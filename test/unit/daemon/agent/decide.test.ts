import { describe, expect, it } from '@jest/globals';
import { gibToBytes } from '../../../../src/base/units.ts';
import { decide } from '../../../../src/daemon/agent/decide.ts';
import { NOTHING, type Rewrite, type Seen } from '../../../../src/daemon/agent/decision.ts';
import type { ExportRule } from '../../../../src/model/export.ts';
import type { MoveTask, Volume } from '../../../../src/model/volume.ts';
import { actualOf, ID, readyVolume, volumeOf } from '../../model/volumes.ts';

const GIB = gibToBytes(1);
const RULE: ExportRule = { host: '10.0.0.1', access: 'rw', squash: 'none' };
const OTHER: ExportRule = { host: '10.0.0.2', access: 'ro', squash: 'none' };
const seen = (fields: Partial<Seen & { quotaBytes: number; usedBytes: number }> = {}): Seen => ({
  subvolume: { id: ID, quotaBytes: fields.quotaBytes ?? GIB, usedBytes: fields.usedBytes ?? 0 },
  rules: [],
  ...fields,
});
const ask = (reserved_size: number) => ({ reserved_size, constraints: {} });

describe('the agent', () => {
  it('creates a scheduled volume, whatever is there already, and lets nobody in before that is written', () => {
    const expected = {
      deeds: [{ kind: 'create', quotaBytes: GIB }],
      conclusion: { kind: 'record-made' },
    };
    const volume = volumeOf({ node: 'a', exports: [RULE] });
    expect(decide(volume, undefined)).toEqual(expected);
    expect(decide(volume, seen())).toEqual(expected);
  });

  it('exports what it has made and written down, and makes it again if it is gone', () => {
    const volume = volumeOf({ node: 'a', exports: [RULE], actual: actualOf() });
    const letIn = { kind: 'export', rules: [RULE] };
    const expected = { deeds: [letIn], conclusion: { kind: 'complete' } };
    expect(decide(volume, undefined)).toEqual(expected);
    expect(decide(volume, seen())).toEqual(expected);
    expect(decide(volume, seen({ subvolume: undefined }))).toEqual({
      deeds: [{ kind: 'create', quotaBytes: GIB }, letIn],
      conclusion: { kind: 'complete' },
    });
  });

  it('writes once about a volume that nobody may mount', () => {
    expect(decide(volumeOf({ node: 'a' }), undefined)).toEqual({
      deeds: [
        { kind: 'create', quotaBytes: GIB },
        { kind: 'export', rules: [] },
      ],
      conclusion: { kind: 'complete' },
    });
  });

  it('looks before it resizes', () => {
    const volume = readyVolume({ state: 'resizing', requested: ask(2) });
    expect(decide(volume, undefined)).toBe('look');
    expect(decide(volume, seen())).toEqual({
      deeds: [{ kind: 'set-quota', quotaBytes: 2 * GIB }],
      conclusion: { kind: 'complete' },
    });
  });

  it('applies exports that were changed while it resizes: completion records them', () => {
    const volume = readyVolume({ state: 'resizing', requested: ask(2), exports: [RULE] });
    expect(decide(volume, seen())).toMatchObject({
      deeds: [{ kind: 'set-quota' }, { kind: 'export', rules: [RULE] }],
    });
  });

  it('refuses to shrink below what is used, and keeps the quota', () => {
    const volume = readyVolume({ state: 'resizing', requested: ask(0.5) });
    expect(decide(volume, seen({ usedBytes: GIB / 2 + 1 }))).toMatchObject({
      deeds: [],
      conclusion: { kind: 'fail', reason: expect.stringContaining(`${GIB / 2 + 1} bytes are in use`) },
    });
    expect(decide(volume, seen({ usedBytes: GIB / 2 }))).toMatchObject({ conclusion: { kind: 'complete' } });
  });

  it('unexports before it trashes', () => {
    expect(decide(readyVolume({ state: 'deleting' }), undefined)).toEqual({
      deeds: [{ kind: 'unexport' }, { kind: 'trash' }],
      conclusion: { kind: 'forget' },
    });
  });

  it.each(['ready', 'pending', 'error'] as const)('follows the exports of a volume that is %s', (state) => {
    const volume = readyVolume({ state, exports: [RULE] });
    expect(decide(volume, undefined)).toEqual({
      deeds: [{ kind: 'export', rules: [RULE] }],
      conclusion: { kind: 'record-exports' },
    });
  });

  it('has nothing to do when all is well', () => {
    expect(decide(readyVolume(), undefined)).toEqual(NOTHING);
    expect(decide(readyVolume(), seen())).toEqual(NOTHING);
    expect(decide(volumeOf({ state: 'error', node: 'a' }), seen())).toEqual(NOTHING);
  });

  it('repairs what the NFS server forgot, without a write to etcd', () => {
    const volume = readyVolume({ exports: [RULE], actual: actualOf({ exports: [RULE] }) });
    expect(decide(volume, seen({ rules: [] }))).toEqual({
      deeds: [{ kind: 'export', rules: [RULE] }],
      conclusion: undefined,
    });
    expect(decide(volume, seen({ rules: [OTHER] }))).toMatchObject({ deeds: [{ kind: 'export' }] });
    expect(decide(volume, { ...seen(), rules: undefined })).toEqual(NOTHING);
  });

  it('repairs a quota', () => {
    expect(decide(readyVolume(), seen({ quotaBytes: 5 }))).toEqual({
      deeds: [{ kind: 'set-quota', quotaBytes: GIB }],
      conclusion: undefined,
    });
  });

  it('never puts an empty subvolume in the place of one that is gone', () => {
    const gone: Seen = { subvolume: undefined, rules: [] };
    for (const state of ['ready', 'resizing'] as const) {
      expect(decide(readyVolume({ state }), gone)).toMatchObject({
        deeds: [],
        conclusion: { kind: 'fail', reason: expect.stringContaining('missing') },
      });
    }
    expect(decide(readyVolume({ state: 'pending' }), gone)).toEqual(NOTHING);
  });

  const parent = (usedBytes: number) => ({ id: 'vfedcba9876543210', quotaBytes: GIB, usedBytes });
  const cloning = (size = 1): Volume =>
    volumeOf(
      { state: 'cloning', node: 'a', exports: [RULE], requested: ask(size) },
      { parent_id: 'vfedcba9876543210' },
    );

  it('clones, and writes that down before it exports the clone', () => {
    expect(decide(cloning(), undefined)).toBe('look');
    const made = { ...cloning(), actual: actualOf({ compression: 'zlib' }) };
    expect(decide(made, undefined)).toEqual({
      deeds: [{ kind: 'export', rules: [RULE] }],
      conclusion: { kind: 'complete' },
    });
    const expected = {
      deeds: [{ kind: 'clone', parentId: 'vfedcba9876543210', quotaBytes: GIB }],
      conclusion: { kind: 'record-made', compression: 'none' },
    };
    expect(decide(cloning(), { subvolume: undefined, parent: parent(GIB), rules: [] })).toEqual(expected);
    const compressed = {
      subvolume: undefined,
      parent: parent(GIB),
      parentCompression: 'zlib',
      rules: [],
    } as const;
    expect(decide(cloning(), compressed)).toMatchObject({ conclusion: { compression: 'zlib' } });
    // An earlier attempt was cut short, and the parent has gone since.
    expect(decide(cloning(), seen())).toEqual(expected);
  });

  it('refuses a clone that is smaller than what its parent holds, or whose parent is not there', () => {
    const small = decide(cloning(0.5), { subvolume: undefined, parent: parent(GIB / 2 + 1), rules: [] });
    expect(small).toEqual({
      deeds: [],
      conclusion: {
        kind: 'fail',
        reason: `${GIB / 2 + 1} bytes are in use, more than the ${GIB / 2} asked for`,
      },
    });
    expect(decide(cloning(), { subvolume: undefined, rules: [] })).toMatchObject({
      deeds: [],
      conclusion: { kind: 'fail', reason: expect.stringContaining('not on this disk') },
    });
  });

  const moving = (fields: Partial<Volume> = {}, task: Partial<MoveTask> = {}): Volume =>
    readyVolume(
      { state: 'moving', ...fields },
      { task: { kind: 'move', cause: 'asked', node: 'b', copy: null, ...task } },
    );

  it('keeps a volume that is on its way in use, until it is handed over', () => {
    expect(decide(moving(), seen())).toEqual(NOTHING);
    expect(decide(moving({ exports: [RULE] }), undefined)).toEqual({
      deeds: [{ kind: 'export', rules: [RULE] }],
      conclusion: { kind: 'record-exports' },
    });
    expect(decide(moving({ requested: ask(4) }), seen())).toEqual(NOTHING);
    expect(decide(moving(), { subvolume: undefined, rules: [] })).toMatchObject({
      conclusion: { kind: 'fail', reason: expect.stringContaining('missing') },
    });
  });

  it('refuses to send what would not fit in the size asked for', () => {
    const shrinking = moving({ requested: ask(0.5) });
    expect(decide(shrinking, seen({ usedBytes: GIB / 2 + 1 }))).toMatchObject({
      deeds: [],
      conclusion: { kind: 'fail', reason: expect.stringContaining('bytes are in use') },
    });
    expect(decide(shrinking, seen({ usedBytes: GIB / 2 }))).toEqual(NOTHING);
    // Already over its quota by a little: that is no reason to keep it here.
    expect(decide(moving(), seen({ usedBytes: GIB + 1 }))).toEqual(NOTHING);
  });

  it('makes a volume that was handed over to it from the copy, and then exports it', () => {
    const copy = '00000000000000ab-2';
    const arriving = moving({ node: 'b', exports: [RULE], requested: ask(2) }, { copy });
    expect(decide(arriving, undefined)).toEqual({
      deeds: [
        { kind: 'adopt', copy, quotaBytes: 2 * GIB },
        { kind: 'export', rules: [RULE] },
      ],
      conclusion: { kind: 'complete' },
    });
  });

  it('follows the exports of a volume that is rewritten, and says how that ended', () => {
    const end: Rewrite = { kind: 'rewritten', compression: 'zlib', before: 9, after: 4 };
    const rewriting = readyVolume(
      { state: 'rewriting', exports: [RULE] },
      { task: { kind: 'rewrite', compression: 'zlib' } },
    );
    expect(decide(rewriting, undefined)).toMatchObject({ conclusion: { kind: 'record-exports' } });
    expect(decide(rewriting, undefined, end)).toEqual({
      deeds: [{ kind: 'export', rules: [RULE] }],
      conclusion: end,
    });
    expect(decide({ ...rewriting, exports: [] }, seen())).toEqual(NOTHING);
  });
});
