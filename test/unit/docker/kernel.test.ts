import { describe, expect, it } from '@jest/globals';
import { kernelHas } from '../../../src/rig/docker/kernel.ts';

const nothing = { filesystems: '', config: '', modules: '' };
const btrfs = { option: 'CONFIG_BTRFS_FS', module: 'btrfs', filesystem: 'btrfs' };
const netem = { option: 'CONFIG_NET_SCH_NETEM', module: 'sch_netem' };

describe('kernelHas', () => {
  it('finds a filesystem that is loaded, and is not misled by a longer name', () => {
    expect(kernelHas({ ...nothing, filesystems: 'nodev\tproc\n\tbtrfs\n' }, btrfs)).toBe('loaded');
    expect(kernelHas({ ...nothing, filesystems: '\tbtrfs2\n' }, btrfs)).toBeUndefined();
  });

  it('reads the configuration', () => {
    const config = '# CONFIG_NET_SCH_NETEM is not set\nCONFIG_BTRFS_FS=y\nCONFIG_BTRFS_FS_POSIX_ACL=y\n';
    expect(kernelHas({ ...nothing, config }, btrfs)).toBe('built in');
    expect(kernelHas({ ...nothing, config }, netem)).toBeUndefined();
    expect(kernelHas({ ...nothing, config: 'CONFIG_NET_SCH_NETEM=m\n' }, netem)).toBe('as a module');
  });

  it('finds a module by its file, compressed or not', () => {
    for (const file of ['sch_netem.ko', 'sch_netem.ko.xz', 'sch-netem.ko.zst']) {
      expect(kernelHas({ ...nothing, modules: `kernel/net/sched/${file}: \n` }, netem)).toBe('as a module');
    }
    expect(kernelHas({ ...nothing, modules: 'kernel/x/not_sch_netem.ko:\n' }, netem)).toBeUndefined();
  });
});
