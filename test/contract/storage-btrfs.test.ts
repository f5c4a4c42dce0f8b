// What only a real disk can show.

import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { startTestNode, type TestNode } from './support/node-container.ts';

const MIB = 1024 ** 2;
const START_TIMEOUT_MS = 60_000;
// Every call starts processes in a container; a busy machine takes its time.
jest.setTimeout(START_TIMEOUT_MS);
const ID = 'v00000000000000aa';

let node: TestNode;
beforeAll(async () => {
  node = await startTestNode();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
}, START_TIMEOUT_MS);

it('stops writes at the quota, and lets them on when it grows', async () => {
  await node.storage.create({ id: ID, quotaBytes: 16 * MIB });
  const fill = `head -c 64M /dev/urandom > /srv/cobalt/volumes/${ID}/f`;
  await expect(node.run(fill)).rejects.toThrow(/Disk quota exceeded/);
  await node.run('btrfs filesystem sync /srv/cobalt');
  const [full] = await node.storage.list();
  expect(full?.usedBytes).toBeGreaterThan(8 * MIB);
  expect(full?.usedBytes).toBeLessThanOrEqual(16 * MIB);
  await node.storage.setQuota({ id: ID, quotaBytes: 128 * MIB });
  await node.run(fill);
});

it('counts what was written a moment ago, so that nothing is shrunk below it', async () => {
  const id = 'v00000000000000ca';
  await node.storage.create({ id, quotaBytes: 128 * MIB });
  await node.run(`head -c 64M /dev/urandom > /srv/cobalt/volumes/${id}/f`);
  expect((await node.storage.find(id))?.usedBytes).toBeGreaterThanOrEqual(64 * MIB);
  await node.storage.trash(id);
});

it('lets a volume that is over its quota grow, and be trashed', async () => {
  const id = 'v00000000000000cb';
  await node.storage.create({ id, quotaBytes: 64 * MIB });
  await node.run(`head -c 32M /dev/urandom > /srv/cobalt/volumes/${id}/f && sync -f /srv/cobalt`);
  await node.storage.setQuota({ id, quotaBytes: 16 * MIB });
  await expect(node.run(`touch /srv/cobalt/volumes/${id}/g`)).rejects.toThrow(/Disk quota exceeded/);
  await node.storage.setQuota({ id, quotaBytes: 48 * MIB });
  expect(await node.storage.find(id)).toMatchObject({ quotaBytes: 48 * MIB });
  await node.run(`touch /srv/cobalt/volumes/${id}/g`);

  await node.storage.setQuota({ id, quotaBytes: 16 * MIB });
  await node.storage.create({ id, quotaBytes: 24 * MIB });
  expect(await node.storage.find(id)).toMatchObject({ quotaBytes: 24 * MIB });
  await node.storage.trash(id);
});

it('lets every user write, so that squashed ones can', async () => {
  expect(await node.run(`stat -c %a /srv/cobalt/volumes/${ID}`)).toBe('777\n');
});

it('has the subvolumes and quotas that it acknowledged after a cut of its power', async () => {
  const id = 'v00000000000000bb';
  await node.storage.create({ id, quotaBytes: 32 * MIB });
  await node.storage.setQuota({ id, quotaBytes: 48 * MIB });
  // The image as it is now is what a disk would hold that lost its power now:
  // what BTRFS has not committed isn't in it.
  const mounted = 'mkdir -p /mnt/cut && mount -o loop /var/lib/cobalt/cut.img /mnt/cut';
  const shown = 'btrfs subvolume list /mnt/cut; btrfs qgroup show -re --raw /mnt/cut; umount /mnt/cut';
  const output = await node.run(
    `cp --sparse=always /var/lib/cobalt/disk.img /var/lib/cobalt/cut.img && umount /srv/cobalt && ${mounted} && { ${shown}; }`,
  );
  await node.run('mount -o loop /var/lib/cobalt/disk.img /srv/cobalt');
  const subvolumeId = new RegExp(`^ID (\\d+) .*${id}$`, 'm').exec(output)?.[1];
  expect(output).toMatch(new RegExp(`^0/${subvolumeId} .* ${48 * MIB} `, 'm'));
});

it('leaves what is not Cobalt’s in the volume and trash folders alone', async () => {
  await node.run('mkdir -p /srv/cobalt/volumes/notes /srv/cobalt/trash/keep && touch /srv/cobalt/volumes/f');
  await node.run('btrfs subvolume create /srv/cobalt/volumes/snapshots');
  const ids = (await node.storage.list()).map(({ id }) => id);
  expect(ids.sort()).toEqual([ID, 'v00000000000000bb']);
  await node.storage.purgeTrash({ olderThanMs: 0 });
  await node.run('test -d /srv/cobalt/trash/keep -a -d /srv/cobalt/volumes/snapshots');
});

it('keeps the qgroups of purged subvolumes from piling up', async () => {
  await node.storage.trash(ID);
  expect(await node.storage.purgeTrash({ olderThanMs: 0 })).toBe(1);
  await node.run('btrfs subvolume sync /srv/cobalt');
  await node.storage.purgeTrash({ olderThanMs: 0 });
  expect(await node.run('btrfs qgroup show /srv/cobalt')).not.toMatch(/stale|deleted/);
});

it('purges the rest of the trash when one entry can not be deleted, and names that', async () => {
  const id = 'v00000000000000dd';
  await node.storage.create({ id, quotaBytes: 16 * MIB });
  await node.storage.trash(id);
  const stuck = ['v0000000000000001.1', 'vfffffffffffffff0.1'];
  await node.run(`cd /srv/cobalt/trash && mkdir ${stuck.join(' ')}`);
  await expect(node.storage.purgeTrash({ olderThanMs: 0 })).rejects.toMatchObject({
    code: 'io',
    message: expect.stringMatching(new RegExp(stuck.join('.*'))),
  });
  expect(await node.run('ls -A /srv/cobalt/trash | sort | xargs')).toBe(`keep ${stuck.join(' ')}\n`);
  await node.run(`cd /srv/cobalt/trash && rmdir ${stuck.join(' ')}`);
});

it('never takes a disk that is not mounted for an empty one', async () => {
  for (const call of [
    () => node.misplaced.list(),
    () => node.misplaced.find(ID),
    () => node.misplaced.binding(),
    () => node.misplaced.create({ id: ID, quotaBytes: MIB }),
    () => node.misplaced.bind({ cluster: 'abc', node: 'a', disk: '0f'.repeat(16), mark: 0, revision: 0 }),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'io', message: expect.stringContaining('/srv') });
  }
  expect(await node.run('ls -A /srv | sort | xargs')).toBe('cobalt exports\n');
});
