// The samples were printed by btrfs-progs 6.14 on kernel 6.18, unless they say otherwise.

import { describe, expect, it } from '@jest/globals';
import {
  parseQgroups,
  parseSubvolumeList,
  parseTrashName,
  trashName,
} from '../../../src/storage/btrfs-output.ts';

describe('btrfs subvolume list', () => {
  it('gives ids and paths', () => {
    const output = [
      'ID 256 gen 11 top level 5 path volumes/v0000000000000001',
      'ID 258 gen 15 top level 5 path trash/v00000000000000ab.1795218670911',
      '',
    ].join('\n');
    expect(parseSubvolumeList(output)).toEqual([
      { subvolumeId: 256, path: 'volumes/v0000000000000001' },
      { subvolumeId: 258, path: 'trash/v00000000000000ab.1795218670911' },
    ]);
  });

  it('reads paths with spaces, and those that start at the top', () => {
    const output =
      'ID 260 gen 9 top level 5 path <FS_TREE>/volumes/a path b\nID 261 gen 9 top level 260 path x';
    expect(parseSubvolumeList(output).map(({ path }) => path)).toEqual(['volumes/a path b', 'x']);
  });

  it('gives nothing for nothing', () => {
    expect(parseSubvolumeList('')).toEqual([]);
  });
});

describe('btrfs qgroup show', () => {
  it('gives usage and limits by subvolume', () => {
    const output = [
      'Qgroupid    Referenced    Exclusive  Max referenced  Max exclusive   Path ',
      '--------    ----------    ---------  --------------  -------------   ---- ',
      '0/5              16384        16384            none           none   <toplevel>',
      '0/256         8404992      8404992        67108864           none   volumes/v0000000000000001',
      '',
    ].join('\n');
    expect([...parseQgroups(output)]).toEqual([
      [5, { usedBytes: 16384, quotaBytes: null }],
      [256, { usedBytes: 8404992, quotaBytes: 67108864 }],
    ]);
  });

  it('reads qgroups without a path, skips those of higher levels, and is not misled by paths', () => {
    const output = [
      '0/257                0            0        33554432           none   <stale>',
      '0/258                0            0            none           none',
      '1/100                0            0            none           none   <0 member qgroups>',
      '0/259            16384        16384            none           none   0/7 1 2 3 4',
    ].join('\n');
    expect([...parseQgroups(output).keys()]).toEqual([257, 258, 259]);
  });

  it('reads the older layout (btrfs-progs 5.16)', () => {
    const output = [
      'qgroupid         rfer         excl     max_rfer     max_excl ',
      '--------         ----         ----     --------     -------- ',
      '0/256           16384        16384     67108864         none ',
    ].join('\n');
    expect(parseQgroups(output).get(256)).toEqual({ usedBytes: 16384, quotaBytes: 67108864 });
  });
});

describe('names in the trash', () => {
  it('survive the way there and back', () => {
    const trashed = { id: 'v00000000000000ab', trashedAtMs: 1795218670911 };
    expect(parseTrashName(trashName(trashed))).toEqual(trashed);
  });

  it.each([
    '',
    'keep',
    'v00000000000000ab',
    'v00000000000000ab.',
    'v00000000000000ab.x',
    'v1.5',
    'x/v00000000000000ab.5',
  ])('are not read out of %j', (name) => {
    expect(parseTrashName(name)).toBeUndefined();
  });
});
