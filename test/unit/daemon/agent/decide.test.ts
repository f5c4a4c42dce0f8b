import { describe, expect, it } from '@jest/globals';
import { gibToBytes } from '../../../../src/base/units.ts';
import { decide, NOTHING, type Seen } from '../../../../src/daemon/agent/decide.ts';
import type { ExportRule } from '../../../../src/model/export.ts';
import { ID, readyVolume, volumeOf } from '../../model/volumes.ts';

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
  it('creates and exports a scheduled volume, whatever is there already', () => {
    const expected = {
      deeds: [
        { kind: 'create', quotaBytes: GIB },
        { kind: 'export', rules: [RULE] },
      ],
      conclusion: { kind: 'complete' },
    };
    const volume = volumeOf({ node: 'a', exports: [RULE] });
    expect(decide(volume, undefined)).toEqual(expected);
    expect(decide(volume, seen())).toEqual(expected);
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
    const volume = readyVolume({ exports: [RULE], actual: { ...ask(1), exports: [RULE] } });
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
});
