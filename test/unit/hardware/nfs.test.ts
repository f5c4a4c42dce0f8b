import { beforeEach, describe, expect, it } from '@jest/globals';
import { createDisk, type ModelledDisk } from '../../../src/hardware/disk.ts';
import { digestOf, serveNfs, storedFile } from '../../../src/hardware/nfs.ts';
import { createMemoryNfsServer, type MemoryNfsServer } from '../../../src/nfs/memory.ts';
import type { DiskCondition } from '../../../src/rig/deployment.ts';

import { createMemoryDisk } from '../../../src/storage/memory.ts';
import { recompress } from '../../../src/storage/memory-content.ts';

const ID = 'v00000000000000a1';
const ADDRESS = '10.0.0.1';
const WRITE = {
  kind: 'nfs-write',
  server: 'node1',
  volume: ID,
  file: 'one',
  timeoutMs: 1,
  content: 'c',
} as const;
const READ = { kind: 'nfs-read', server: 'node1', volume: ID, file: 'one', timeoutMs: 1 } as const;

let storage: ModelledDisk;
let server: MemoryNfsServer;
const sleep = async (): Promise<void> => undefined;
const write = (bytes: number, address = ADDRESS) =>
  serveNfs({ storage, server, address, sleep }, { ...WRITE, bytes });
const read = (address = ADDRESS) => serveNfs({ storage, server, address, sleep }, READ);

beforeEach(() => {
  storage = createDisk(createMemoryDisk({ totalBytes: 1_000_000 }));
  server = createMemoryNfsServer();
  storage.disk.subvolumes.set(ID, { quotaBytes: 1_000, usedBytes: 0, files: new Map(), compression: 'none' });
  server.exports.set(ID, [{ host: '10.0.0.0/30', access: 'rw', squash: 'none' }]);
});

describe('the simulated NFS server', () => {
  it('keeps what was written, for hosts that are accepted alone', async () => {
    const sha256 = digestOf({ name: 'c', bytes: 600 });
    expect(await write(600)).toEqual({ outcome: 'ok', sha256 });
    expect(await read()).toEqual({ outcome: 'ok', sha256 });
    expect([(await read('10.0.0.9')).outcome, (await write(1, '10.0.0.9')).outcome]).toEqual([
      'refused',
      'refused',
    ]);
    server.exports.set(ID, [{ host: ADDRESS, access: 'ro', squash: 'none' }]);
    expect([(await read()).outcome, (await write(1)).outcome]).toEqual(['ok', 'refused']);
  });

  it('takes no more than the quota leaves, and says why only to who begins at its end', async () => {
    expect(await write(1_500)).toEqual({ outcome: 'unknown', detail: 'Failed to write' });
    expect(storage.disk.subvolumes.get(ID)?.usedBytes).toBe(1_000);
    const request = { ...WRITE, file: 'two', bytes: 1 };
    expect(await serveNfs({ storage, server, address: ADDRESS, sleep }, request)).toMatchObject({
      full: true,
    });
  });

  it('never has less than nothing, when what was compressed meanwhile is written anew', async () => {
    await write(600);
    const volume = storage.disk.subvolumes.get(ID);
    if (volume === undefined) throw new Error(`there is no ${ID}`);
    recompress(volume, 'zstd:3');
    await write(100);
    expect(volume.usedBytes).toBe(100);
  });

  it('says of a file that is not there that it is not, to hosts that are accepted alone', async () => {
    expect(await read()).toMatchObject({ outcome: 'failed', absent: true });
    expect(await read('10.0.0.9')).not.toHaveProperty('absent');
  });

  it('leaves half of a file where it ends while that is written', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    void serveNfs({ storage, server, address: ADDRESS, sleep: never }, { ...WRITE, bytes: 600 });
    const left = storedFile(storage.disk.subvolumes.get(ID)?.files.get('one') ?? '');
    expect(left.bytes).toBe(300);
    expect(left.sha256).not.toBe(digestOf({ name: 'c', bytes: 600 }));
  });

  it.each<[DiskCondition, string, string]>([
    [{ is: 'failing' }, 'unknown', 'failed'],
    [{ is: 'read-only' }, 'refused', 'ok'],
    [{ is: 'full' }, 'unknown', 'ok'],
    [{ is: 'slow', kbitPerSecond: 1 }, 'ok', 'ok'],
  ])('on a disk that %o writes and reads as that allows', async (condition, written, found) => {
    await write(100);
    storage.become([condition]);
    expect([(await write(200)).outcome, (await read()).outcome]).toEqual([written, found]);
  });

  it('stays without a disk that has failed until that is mounted anew', async () => {
    storage.become([{ is: 'failing' }]);
    storage.become([]);
    expect((await write(1)).outcome).toBe('unknown');
    storage.mount();
    expect((await write(1)).outcome).toBe('ok');
  });
});
