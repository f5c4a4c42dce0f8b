// What only a real disk can show of copies, of rewriting and of its health.

import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import type { Copy } from '../../src/storage/storage.ts';
import { startTestNode, type TestNode } from './support/node-container.ts';

const MIB = 1024 ** 2;
const START_TIMEOUT_MS = 60_000;
const clock = createSystemClock();
jest.setTimeout(START_TIMEOUT_MS);

let node: TestNode;
let made = 0;
beforeAll(async () => {
  node = await startTestNode();
  await node.mountSecondDisk();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
}, START_TIMEOUT_MS);

const copyOf = (id: string, number = 0): Copy => ({ id, name: `00000000000000ab-${number}` });
const folderOf = (id: string): string => `/srv/cobalt/volumes/${id}`;

async function newVolume(script = 'true'): Promise<string> {
  const id = `v${(++made).toString(16).padStart(16, '0')}`;
  await node.storage.create({ id, quotaBytes: 512 * MIB });
  await node.run(`cd ${folderOf(id)} && ${script}`);
  return id;
}

/** Until no process of the node has this in its command line. */
async function untilGone(pattern: string): Promise<void> {
  await waitFor({
    clock,
    what: `the end of ${pattern}`,
    timeoutMs: 10_000,
    probe: async () => ((await processes(pattern)) === '' ? true : undefined),
  });
}

/** Their numbers; the brackets keep the search from finding itself. */
function processes(pattern: string): Promise<string> {
  return node.run(`pgrep -f '[${pattern[0]}]${pattern.slice(1)}' || true`);
}

it('ends the command when the consumer of a stream stops early', async () => {
  const id = await newVolume('head -c 64M /dev/urandom > f');
  await node.storage.freeze(copyOf(id));
  expect(await node.streams.abandon(copyOf(id))).toBeGreaterThan(0);
  await untilGone('btrfs -q send');
});

it('ends the command when the stream that it receives breaks off', async () => {
  const id = await newVolume('head -c 64M /dev/urandom > f');
  await node.storage.freeze(copyOf(id));
  const broken = node.streams.transfer({ copy: copyOf(id), fate: 'broken' });
  await expect(broken).rejects.toMatchObject({ code: 'unavailable' });
  await untilGone('btrfs -q receive');
  expect(await node.run('ls /srv/second/copies')).not.toContain(id);
});

it('refuses a stream that was damaged on the way', async () => {
  const id = await newVolume('head -c 1M /dev/urandom > f');
  await node.storage.freeze(copyOf(id));
  const damaged = node.streams.transfer({ copy: copyOf(id), fate: 'damaged' });
  await expect(damaged).rejects.toMatchObject({ code: 'io' });
});

it.each([
  ['a mode', 'chmod 600 f'],
  ['an owner', 'chown 7 f'],
  ['a group', 'chgrp 7 f'],
  ['the mode of the volume itself', 'chmod 700 .'],
  ['the target of a link', 'ln -sfn g link'],
  ['a kind', 'rm pipe && touch pipe && chmod 644 pipe'],
  ['a name that is no text', "mv $'x\\xff' $'x\\xfe'"],
  ['the depth of a file', 'mv folder/a .'],
])('tells copies apart that differ by %s', async (_, change) => {
  const id = await newVolume(
    "echo 1 > f; ln -s f link; mkfifo -m 644 pipe; mkdir folder; touch folder/a; echo 2 > $'x\\xff'",
  );
  await node.storage.freeze(copyOf(id));
  await node.streams.transfer({ copy: copyOf(id) });
  const before = await node.storage.digest(copyOf(id));
  expect(await node.second.digest(copyOf(id))).toBe(before);
  await node.run(`cd ${folderOf(id)} && ${change}`);
  await node.storage.freeze(copyOf(id, 1));
  expect(await node.storage.digest(copyOf(id, 1))).not.toBe(before);
});

it('keeps copies from being written to, and gives what is adopted its own limit', async () => {
  const id = await newVolume('echo 1 > f');
  await node.storage.freeze(copyOf(id));
  const folder = `/srv/cobalt/copies/${id}.${copyOf(id).name}/${id}`;
  await expect(node.run(`echo 2 > ${folder}/f`)).rejects.toThrow(/Read-only file system/);
  await node.streams.transfer({ copy: copyOf(id) });
  await node.second.adopt(copyOf(id), { quotaBytes: 16 * MIB });
  const fill = `head -c 64M /dev/urandom > /srv/second/volumes/${id}/g`;
  await expect(node.run(fill)).rejects.toThrow(/Disk quota exceeded/);
});

it('leaves the mode and the owner that a client gave a volume to its clones and where it moves', async () => {
  const id = await newVolume('chmod 2750 . && chown 7:8 .');
  const cloneId = `v${'b'.repeat(16)}`;
  await node.storage.clone({ id: cloneId, parentId: id, quotaBytes: 64 * MIB });
  await node.storage.freeze(copyOf(id));
  await node.streams.transfer({ copy: copyOf(id) });
  await node.second.adopt(copyOf(id), { quotaBytes: 64 * MIB });
  for (const folder of [folderOf(cloneId), `/srv/second/volumes/${id}`]) {
    expect(await node.run(`stat -c '%a %u:%g' ${folder}`)).toBe('2750 7:8\n');
  }
});

it('finishes an adoption that a crash cut short before the limit', async () => {
  const id = await newVolume('echo 1 > f');
  await node.storage.freeze(copyOf(id));
  await node.streams.transfer({ copy: copyOf(id) });
  const copy = `/srv/second/copies/${id}.${copyOf(id).name}/${id}`;
  await node.run(
    `mkdir -p /srv/second/volumes && btrfs subvolume snapshot ${copy} /srv/second/volumes/${id}`,
  );
  await node.second.adopt(copyOf(id), { quotaBytes: 16 * MIB });
  expect(await node.second.find(id)).toMatchObject({ quotaBytes: 16 * MIB });
});

it('clones, freezes and moves a volume that is full to its quota', async () => {
  const id = await newVolume();
  await node.storage.setQuota({ id, quotaBytes: 16 * MIB });
  await node.run(`head -c 32M /dev/urandom > ${folderOf(id)}/f || true; sync -f /srv/cobalt`);
  const cloneId = `v${'c'.repeat(16)}`;
  await node.storage.clone({ id: cloneId, parentId: id, quotaBytes: 64 * MIB });
  await node.run(`head -c 32M /dev/urandom > ${folderOf(cloneId)}/g`);
  await node.storage.freeze(copyOf(id));
  await node.streams.transfer({ copy: copyOf(id) });
  expect(await node.second.digest(copyOf(id))).toBe(await node.storage.digest(copyOf(id)));
});

it('compresses what is written after, too, in old folders and files and in new ones', async () => {
  const write = 'for f in f folder/f folder/g; do yes text | head -c 8M > $f; done';
  const id = await newVolume(`mkdir folder && touch f folder/f && ${write}`);
  await node.storage.rewrite({ id, compression: 'zlib' });
  await node.run(`cd ${folderOf(id)} && ${write} && yes text | head -c 8M > folder/new`);
  expect((await node.storage.find(id))?.usedBytes).toBeLessThan(8 * MIB);
  await node.storage.rewrite({ id, compression: 'none' });
  expect((await node.storage.find(id))?.usedBytes).toBeGreaterThanOrEqual(32 * MIB);
  await node.run(`cd ${folderOf(id)} && yes text | head -c 8M > folder/plain`);
  expect((await node.storage.find(id))?.usedBytes).toBeGreaterThanOrEqual(40 * MIB);
});

it('decompresses what is sparse, odd in length or small, without a change to it', async () => {
  const id = await newVolume(
    'yes text | head -c 123457 > odd; echo small > small; truncate -s 64M sparse; ' +
      'yes text | head -c 300K | dd of=sparse bs=1K seek=50000 conv=notrunc; cp small -- "-x  y"',
  );
  await node.storage.rewrite({ id, compression: 'lzo' });
  await node.storage.freeze(copyOf(id));
  await node.storage.rewrite({ id, compression: 'none' });
  await node.storage.freeze(copyOf(id, 1));
  expect(await node.storage.digest(copyOf(id, 1))).toBe(await node.storage.digest(copyOf(id)));
  const usedBytes = (await node.storage.find(id))?.usedBytes ?? 0;
  expect(usedBytes).toBeLessThan(2 * MIB);
  expect(usedBytes).toBeGreaterThan(400 * 1024);
});

it('loses nothing that is written while it decompresses', async () => {
  const id = await newVolume('yes text | head -c 96M > f');
  await node.storage.rewrite({ id, compression: 'zstd:3' });
  // Every block of the file gets its number, in a stride that meets the program all over the file.
  const writer = `perl -e 'open(F, "+<", "${folderOf(id)}/f") or die; for my $i (0 .. 24575) {
    my $b = ($i * 7919) % 24576; sysseek(F, $b * 4096, 0); syswrite(F, sprintf("block %09d\\n", $b)); }'`;
  const [, rewritten] = await Promise.all([
    node.run(writer),
    node.storage.rewrite({ id, compression: 'none' }),
  ]);
  expect(rewritten.afterBytes).toBeGreaterThanOrEqual(90 * MIB);
  const lost = `perl -e 'open(F, "<", "${folderOf(id)}/f") or die; for my $b (0 .. 24575) {
    sysseek(F, $b * 4096, 0); sysread(F, my $t, 16); $n++ if $t ne sprintf("block %09d\\n", $b); } print $n + 0'`;
  expect(await node.run(lost)).toBe('0');
});

it('stops rewriting and digesting when told to', async () => {
  const id = await newVolume('mkdir many && cd many && seq 5000 | xargs touch');
  const rewriting = node.abortable.rewrite({ id, compression: 'zlib' });
  const refused = expect(rewriting).rejects.toMatchObject({ code: 'aborted' });
  await waitFor({
    clock,
    what: 'the beginning of the rewriting',
    timeoutMs: 10_000,
    probe: async () => ((await processes(`find ${folderOf(id)}`)) === '' ? undefined : true),
  });
  await node.abortable.abort();
  await refused;
  await untilGone(`find ${folderOf(id)}`);

  await node.run(`truncate -s 100G ${folderOf(id)}/large`);
  await node.storage.freeze(copyOf(id));
  const digest = expect(node.abortable.digest(copyOf(id))).rejects.toMatchObject({ code: 'aborted' });
  await node.abortable.abort();
  await digest;
});

it('has the clones, copies and adopted volumes that it acknowledged after a cut of its power', async () => {
  const id = await newVolume('echo 1 > f');
  await node.storage.freeze(copyOf(id));
  await node.streams.transfer({ copy: copyOf(id) });
  await node.second.adopt(copyOf(id), { quotaBytes: 24 * MIB });
  const cloneId = `v${'d'.repeat(16)}`;
  await node.second.clone({ id: cloneId, parentId: id, quotaBytes: 40 * MIB });
  // The image as it is now is what a disk would hold that lost its power now.
  const output = await node.run(
    `cd /var/lib/cobalt && cp --sparse=always second.img cut.img && umount /srv/second &&
     mkdir -p /mnt/cut && mount -o loop cut.img /mnt/cut && cat /mnt/cut/volumes/${cloneId}/f &&
     btrfs subvolume list -r /mnt/cut && btrfs qgroup show -re --raw /mnt/cut; umount /mnt/cut;
     rm cut.img; mount -o loop second.img /srv/second`,
  );
  expect(output).toMatch(new RegExp(`^1\n[^]* path copies/${id}.${copyOf(id).name}/${id}\n`));
  for (const quotaBytes of [24 * MIB, 40 * MIB])
    expect(output).toMatch(new RegExp(`^0/.* ${quotaBytes} `, 'm'));
});

it('tells that its disk is full, and well again', async () => {
  await node.run(
    `mkdir /srv/second/filler && cd /srv/second/filler &&
     for size in 1024 512 256 128 64 32 16 8; do fallocate -l $((size))M $size || true; done; sync -f .`,
  );
  expect(await node.second.health()).toMatchObject({ state: 'full', reason: expect.stringMatching(/left/) });
  await node.run('rm -r /srv/second/filler && btrfs filesystem sync /srv/second');
  expect(await node.second.health()).toEqual({ state: 'ok', reason: null });
});

it('tells that its disk takes no writes', async () => {
  await node.run('mount -o remount,ro /srv/second');
  expect(await node.second.health()).toMatchObject({ state: 'read-only' });
  const created = node.second.create({ id: `v${'e'.repeat(16)}`, quotaBytes: MIB });
  await expect(created).rejects.toMatchObject({ code: 'io' });
  await node.run('mount -o remount,rw /srv/second');
  expect(await node.second.health()).toMatchObject({ state: 'ok' });
});

it('tells that its disk is failing once it has met an error of it', async () => {
  const id = await newVolume('yes rotten-block-of-data | head -c 64K > f');
  await node.storage.freeze(copyOf(id));
  await node.streams.transfer({ copy: copyOf(id) });
  // Wherever the image has the file's data, a bit of it turns.
  const rot = `open(F, "+<", "second.img") or die; my $at = 0;
    while (defined($at = sysseek(F, $at, 3))) {
      sysread(F, my $data, 65536); my $found = index($data, "rotten-block-of-data");
      if ($found >= 0) { sysseek(F, $at + $found, 0); syswrite(F, "R"); $n++; }
      $at += 65536; } exit !$n`;
  await node.run(
    `umount /srv/second && cd /var/lib/cobalt && perl -e '${rot}' && mount -o loop second.img /srv/second`,
  );
  expect(await node.second.health()).toMatchObject({ state: 'ok' });
  await expect(node.second.digest(copyOf(id))).rejects.toMatchObject({ code: 'io' });
  expect(await node.second.health()).toMatchObject({
    state: 'failing',
    reason: expect.stringMatching(/corruption_errs|I\/O error/),
  });
});

it('tells of a disk that is not there', async () => {
  await node.run('umount /srv/second');
  expect(await node.second.health()).toMatchObject({ state: 'failing' });
  await node.run('mount -o loop /var/lib/cobalt/second.img /srv/second');
});
