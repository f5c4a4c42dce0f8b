// What clients see of the real NFS server on the real disk.

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import type { ExportRule } from '../../src/model/export.ts';
import { ANONYMOUS } from './support/nfs4.ts';
import { startTestConsumer, startTestNode, type TestNode } from './support/node-container.ts';

const MIB = 1024 ** 2;
const START_TIMEOUT_MS = 60_000;
// Every call starts processes in a container; a busy machine takes its time.
jest.setTimeout(START_TIMEOUT_MS);
const [HOST, OTHER_HOST] = ['127.0.0.1', '127.0.0.2'] as const;
const rule = (
  host: string,
  access: 'rw' | 'ro' = 'rw',
  squash: ExportRule['squash'] = 'none',
): ExportRule => ({
  host,
  access,
  squash,
});

let node: TestNode;
let made = 0;
const untilUp = (): Promise<readonly unknown[]> =>
  waitFor({
    clock: createSystemClock(),
    what: 'nfs-ganesha to answer',
    timeoutMs: 20_000,
    probe: () => node.exporter.list(),
  });
const exported = async (rules: readonly ExportRule[], quotaBytes = 16 * MIB): Promise<string> => {
  const id = `v${(++made).toString(16).padStart(16, '0')}`;
  await node.storage.create({ id, quotaBytes });
  await node.exporter.apply({ id, rules });
  return id;
};
const mountsOf = (id: string): Promise<string> =>
  node.run(`grep ' /srv/exports/${id} ' /proc/mounts || true`);

beforeAll(async () => {
  node = await startTestNode();
  await untilUp();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await node?.[Symbol.asyncDispose]();
}, START_TIMEOUT_MS);

describe('a client of nfs-ganesha', () => {
  it('reads and writes from an accepted host; another host sees nothing', async () => {
    const id = await exported([rule(HOST)]);
    const root = await node.nfs(HOST).lookup(id);
    const file = await node.nfs(HOST).open(root.handle, 'f');
    expect(await node.nfs(HOST).write(file.handle, file.stateid, 'hello')).toBe('OK');
    expect(await node.nfs(HOST).read(file.handle, file.stateid)).toEqual({ status: 'OK', text: 'hello' });
    expect(await node.nfs(OTHER_HOST).lookup(id)).toMatchObject({ status: 'NOENT' });
    expect(await node.nfs(OTHER_HOST).read(file.handle, ANONYMOUS)).toMatchObject({ status: 'ACCES' });
  });

  it('feels a change at once, also on a file that it holds open', async () => {
    const id = await exported([rule(HOST)]);
    const root = await node.nfs(HOST).lookup(id);
    const { handle, stateid } = await node.nfs(HOST).open(root.handle, 'f');
    expect(await node.nfs(HOST).write(handle, stateid, 'one')).toBe('OK');

    await node.exporter.apply({ id, rules: [rule(HOST, 'ro')] });
    expect(await node.nfs(HOST).write(handle, stateid, 'two')).toBe('ROFS');
    expect(await node.nfs(HOST).read(handle, stateid)).toEqual({ status: 'OK', text: 'one' });

    await node.exporter.apply({ id, rules: [rule(OTHER_HOST)] });
    expect(await node.nfs(HOST).read(handle, stateid)).toMatchObject({ status: 'ACCES' });
    expect(await node.nfs(OTHER_HOST).read(handle, ANONYMOUS)).toMatchObject({ status: 'OK' });

    await node.exporter.apply({ id, rules: [rule(HOST)] });
    expect(await node.nfs(HOST).write(handle, stateid, 'two')).toBe('OK');

    await node.exporter.remove(id);
    expect(await node.nfs(HOST).write(handle, stateid, 'six')).toBe('STALE');
    expect(await node.nfs(HOST).getattr(root.handle)).toBe('STALE');
    expect(await mountsOf(id)).toBe('');
  });

  it('meets the narrowest rule that fits it, whatever their order', async () => {
    const broad = rule('127.0.0.0/8');
    const narrow = rule(HOST, 'ro');
    for (const rules of [
      [broad, narrow],
      [narrow, broad],
    ]) {
      const id = await exported(rules);
      const root = await node.nfs(OTHER_HOST).lookup(id);
      expect(await node.nfs(OTHER_HOST).open(root.handle, 'f')).toMatchObject({ status: 'OK' });
      expect(await node.nfs(HOST).open(root.handle, 'g')).toMatchObject({ status: 'ROFS' });
    }
  });

  it('is nobody when it is squashed, and can write all the same', async () => {
    const id = await exported([rule(HOST, 'rw', 'root'), rule(OTHER_HOST, 'rw', 'none')]);
    const root = await node.nfs(HOST).lookup(id);
    for (const [host, name] of [
      [HOST, 'squashed'],
      [OTHER_HOST, 'root'],
    ] as const) {
      expect(await node.nfs(host).open(root.handle, name)).toMatchObject({ status: 'OK' });
    }
    const owners = await node.run(`cd /srv/cobalt/volumes/${id} && stat -c '%n %u' squashed root`);
    expect(owners).toBe('squashed 65534\nroot 0\n');
  });

  it('does not get in by the host 0.0.0.0, which ganesha would take for everybody', async () => {
    const id = await exported([rule('0.0.0.0')]);
    expect(await node.nfs(HOST).lookup(id)).toMatchObject({ status: 'NOENT' });
  });
});

describe('what a crash leaves', () => {
  const rules = [rule(HOST)];

  it('is finished when there is a mount but no export', async () => {
    const id = await exported(rules);
    await node.run(exportCall('RemoveExport', `uint16:$(${exportIdOf(id)})`));
    expect((await node.exporter.list()).map((active) => active.id)).not.toContain(id);
    await node.exporter.apply({ id, rules });
    expect(await node.nfs(HOST).lookup(id)).toMatchObject({ status: 'OK' });
    expect((await mountsOf(id)).split('\n').filter(Boolean)).toHaveLength(1);
  });

  it('is mended when there is an export but no mount, and until then it is nobody’s', async () => {
    const id = await exported(rules);
    await node.run(`umount -l /srv/exports/${id}`);
    expect(await node.exporter.list()).toContainEqual({ id, rules: [] });
    expect(await node.exporter.find(id)).toEqual({ id, rules: [] });
    await node.exporter.apply({ id, rules });
    expect(await node.exporter.list()).toContainEqual({ id, rules });
    expect(await node.nfs(HOST).lookup(id)).toMatchObject({ status: 'OK' });
  });

  it('is replaced when the mount is of a subvolume that was trashed since', async () => {
    const id = await exported(rules);
    const old = await node.nfs(HOST).lookup(id);
    expect(await node.nfs(HOST).open(old.handle, 'old')).toMatchObject({ status: 'OK' });
    await node.storage.trash(id);
    await node.storage.create({ id, quotaBytes: 16 * MIB });
    await node.exporter.apply({ id, rules });
    expect(await node.nfs(HOST).lookup(`${id}/old`)).toMatchObject({ status: 'NOENT' });
    expect(await node.nfs(HOST).getattr(old.handle)).toBe('STALE');
  });

  it('is removed, several mounts, an open file and all', async () => {
    const id = await exported(rules);
    await node.run(`mount --bind /srv/exports/${id} /srv/exports/${id}`);
    await node.run(
      `touch /srv/exports/${id}/f; (exec 3< /srv/exports/${id}/f; exec sleep 5 >/dev/null 2>&1) &`,
    );
    await node.exporter.remove(id);
    expect(await mountsOf(id)).toBe('');
    expect(
      await node.run(`ls -d /srv/exports/${id} /run/ganesha/exports/${id}.conf 2>/dev/null || true`),
    ).toBe('');
  });

  it('hides no other export, serves a foreign client, and is mended by the next apply', async () => {
    const [id, other] = [await exported(rules), await exported(rules)];
    const file = `/run/ganesha/exports/${id}.conf`;
    await node.run(`sed -i 's/CLIENT {/CLIENT { Clients = *; Access_Type = RW; } CLIENT {/' ${file}`);
    const update = `string:${file} "string:EXPORT(Export_Id=$(${exportIdOf(id)}))"`;
    await node.run(exportCall('UpdateExport', update));
    expect(await node.nfs(OTHER_HOST).lookup(id)).toMatchObject({ status: 'OK' });

    const active = await node.exporter.list();
    expect(active).toContainEqual({ id: other, rules });
    const found = active.find((one) => one.id === id);
    expect(found?.rules).toContainEqual(expect.objectContaining({ host: expect.stringMatching(/^\* with/) }));
    expect(await node.exporter.find(id)).toEqual(found);

    await node.exporter.apply({ id, rules });
    expect(await node.exporter.find(id)).toEqual({ id, rules });
    expect(await node.nfs(OTHER_HOST).lookup(id)).toMatchObject({ status: 'NOENT' });
  });

  it('does no harm as half a configuration file', async () => {
    const id = await exported(rules);
    await node.run(`echo '# rules: [{"host":' > /run/ganesha/exports/${id}.conf`);
    expect(await node.exporter.list()).toContainEqual({ id, rules });
    await node.exporter.apply({ id, rules: [rule(OTHER_HOST)] });
    expect(await node.nfs(OTHER_HOST).lookup(id)).toMatchObject({ status: 'OK' });
  });
});

describe('libnfs on another host', () => {
  it(
    'writes until the quota ends it, reads it back, and is refused elsewhere',
    async () => {
      await using consumer = await startTestConsumer();
      const open = await exported([rule(consumer.ipAddress)], 32 * MIB);
      const closed = await exported([rule('192.0.2.1')]);
      const readOnly = await exported([rule(consumer.ipAddress, 'ro')]);
      const url = (id: string, file: string): string => `'nfs://${node.ipAddress}/${id}/${file}?version=4'`;

      const copied = await consumer.run(
        `head -c 8M /dev/urandom > /tmp/a && nfs-cp /tmp/a ${url(open, 'a')} && nfs-cat ${url(open, 'a')} | cmp - /tmp/a`,
      );
      expect(copied).toMatchObject({ exitCode: 0, stderr: '' });

      const tooMuch = await consumer.run(
        `head -c 64M /dev/urandom > /tmp/b; nfs-cp /tmp/b ${url(open, 'b')} 2>&1`,
      );
      expect(tooMuch.exitCode).not.toBe(0);
      const written = await node.run(`sync -f /srv/cobalt; du -sb /srv/cobalt/volumes/${open} | cut -f1`);
      expect(Number(written)).toBeLessThanOrEqual(32 * MIB);

      await node.storage.setQuota({ id: open, quotaBytes: 128 * MIB });
      expect(await consumer.run(`nfs-cp /tmp/b ${url(open, 'c')}`)).toMatchObject({ exitCode: 0 });

      for (const id of [closed, readOnly]) {
        const refused = await consumer.run(`nfs-cp /tmp/a ${url(id, 'a')} 2>&1`);
        expect(refused.exitCode).not.toBe(0);
        expect(await node.run(`ls /srv/cobalt/volumes/${id}`)).toBe('');
      }
    },
    START_TIMEOUT_MS,
  );
});

describe('the bus', () => {
  it('is not waited for when it is frozen, and is there again afterwards', async () => {
    const id = await exported([rule(HOST)]);
    await node.run('kill -STOP $(pidof dbus-daemon)');
    try {
      await expect(node.exporter.list()).rejects.toMatchObject({ code: 'unavailable', definite: false });
    } finally {
      await node.run('kill -CONT $(pidof dbus-daemon)');
    }
    expect(await node.exporter.find(id)).toEqual({ id, rules: [rule(HOST)] });
  });
});

// The last ones: after a restart the server is in its grace period, and opens nothing new.
describe('a restart of nfs-ganesha', () => {
  it('keeps its file handles over a restart of the server and a new mount of the disk', async () => {
    const id = await exported([rule(HOST)]);
    const { handle } = await node.nfs(HOST).lookup(id);
    await node.disconnect();
    await node.run('kill -9 $(pidof ganesha.nfsd)');
    await untilUp();
    // Other exports come first this time, and the disk is mounted anew.
    await node.run(
      "awk '$2 ~ /^.srv.exports/ {print $2}' /proc/mounts | xargs -r umount && umount /srv/cobalt",
    );
    await node.run('mount -o loop,noatime /var/lib/cobalt/disk.img /srv/cobalt');
    await exported([rule(HOST)]);
    await node.exporter.apply({ id, rules: [rule(HOST)] });
    expect(await node.nfs(HOST).getattr(handle)).toBe('OK');
  }, 30_000);

  it('comes with one of the bus, which the exporter gets over, too', async () => {
    const id = await exported([rule(HOST)]);
    await node.run('kill -9 $(pidof dbus-daemon)');
    await expect(node.exporter.list()).rejects.toMatchObject({ code: 'unavailable', definite: true });
    await untilUp();
    await node.exporter.apply({ id, rules: [rule(HOST)] });
    expect(await node.exporter.find(id)).toEqual({ id, rules: [rule(HOST)] });
  });
});

function exportCall(method: string, argument: string): string {
  const target = '--system --print-reply --dest=org.ganesha.nfsd /org/ganesha/nfsd/ExportMgr';
  return `dbus-send ${target} org.ganesha.nfsd.exportmgr.${method} ${argument}`;
}

function exportIdOf(id: string): string {
  return `grep -oP 'Export_Id = \\K\\d+' /run/ganesha/exports/${id}.conf`;
}
