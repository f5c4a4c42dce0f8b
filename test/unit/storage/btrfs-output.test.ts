// The samples were printed by btrfs-progs 6.14 on kernel 6.18, unless they say otherwise.

import { describe, expect, it } from '@jest/globals';
import {
  copyFolder,
  deviceErrors,
  isReadOnlyMount,
  parseCopyPath,
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

describe('btrfs device stats', () => {
  const well = [
    '[/dev/loop0].write_io_errs    0',
    '[/dev/loop0].read_io_errs     0',
    '[/dev/loop0].flush_io_errs    0',
    '[/dev/loop0].corruption_errs  0',
    '[/dev/loop0].generation_errs  0',
    '',
  ].join('\n');

  it('counts nothing on a disk that is well', () => {
    expect(deviceErrors(well)).toBeNull();
  });

  it('names every counter that is not 0', () => {
    const ill = well.replace('write_io_errs    0', 'write_io_errs    12').replace('errs  0', 'errs  3');
    expect(deviceErrors(ill)).toBe('12 write_io_errs on /dev/loop0, 3 corruption_errs on /dev/loop0');
  });
});

describe('mountinfo', () => {
  const line = (at: string, mount: string, filesystem: string): string =>
    `58 83 0:50 / ${at} ${mount} shared:1 - btrfs /dev/loop0 ${filesystem}`;
  const well = line('/srv/cobalt', 'rw,noatime', 'rw,discard=async,subvolid=5,subvol=/');

  it('tells a mount that takes writes', () => {
    expect(isReadOnlyMount(`${well}\n`, '/srv/cobalt')).toBe(false);
    expect(isReadOnlyMount(`${line('/srv', 'ro', 'ro')}\n${well}`, '/srv/cobalt')).toBe(false);
    expect(isReadOnlyMount(line('/srv/cobalt', 'rw', 'rw,errors=ro'), '/srv/cobalt')).toBe(false);
  });

  it('tells one that does not, by itself or by its filesystem', () => {
    expect(isReadOnlyMount(line('/srv/cobalt', 'ro,noatime', 'rw'), '/srv/cobalt')).toBe(true);
    expect(isReadOnlyMount(line('/srv/cobalt', 'rw,noatime', 'ro'), '/srv/cobalt')).toBe(true);
  });

  it('goes by the last of several, and reads blanks', () => {
    const both = `${line('/a b'.replace(' ', '\\040'), 'rw', 'rw')}\n${line('/a\\040b', 'ro', 'rw')}`;
    expect(isReadOnlyMount(both, '/a b')).toBe(true);
    expect(isReadOnlyMount(`${both}\n${line('/a\\040b', 'rw', 'rw')}`, '/a b')).toBe(false);
  });
});

describe('the folder of a copy', () => {
  const copy = { id: 'v00000000000000ab', name: '00000000000000cd-12' };

  it('is read as it is written', () => {
    expect(parseCopyPath(`copies/${copyFolder(copy)}/${copy.id}`)).toEqual(copy);
    expect(parseCopyPath(`top/copies/${copyFolder(copy)}/${copy.id}`)).toEqual(copy);
  });

  it.each([
    `copies/${copyFolder(copy)}`,
    `copies/${copyFolder(copy)}/v00000000000000ac`,
    `copies/${copyFolder(copy)}/${copy.id}/nested`,
    `copies/${copy.id}.x/${copy.id}`,
    `copies/notes.${copy.name}/notes`,
    `volumes/${copyFolder(copy)}/${copy.id}`,
  ])('is not read from %s', (path) => {
    expect(parseCopyPath(path)).toBeUndefined();
  });
});
