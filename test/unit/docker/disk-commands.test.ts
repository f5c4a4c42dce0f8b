import { describe, expect, it } from '@jest/globals';
import { setCommand, writeOf } from '../../../src/rig/docker/disk-commands.ts';

describe('what a disk is told', () => {
  const told = (...conditions: Parameters<typeof setCommand>[0]) => setCommand(conditions).slice(2);

  it('names every condition, in force or not', () => {
    expect(told()).toEqual(['no', 'no', 'no', 'any']);
    expect(told({ is: 'full' }, { is: 'failing' })).toEqual(['yes', 'no', 'yes', 'any']);
    expect(told({ is: 'read-only' })).toEqual(['no', 'yes', 'no', 'any']);
  });

  it('has the lowest of several limits', () => {
    const slow = (kbitPerSecond: number) => ({ is: 'slow', kbitPerSecond }) as const;
    expect(told(slow(8_000), slow(900), slow(10_000))).toEqual(['no', 'no', 'no', '900']);
  });
});

describe('what came of a write', () => {
  const said = (exitCode: number, stderr: string) => writeOf({ exitCode, stdout: '', stderr });
  const copied = '262144 bytes (262 kB, 256 KiB) copied, 1.5038 s, 174 kB/s';

  it.each([
    [0, copied, 'written', 1_504],
    [0, '65536 bytes (66 kB, 64 KiB) copied, 9.2e-05 s, 712 MB/s', 'written', 0],
    [1, `dd: error writing '/x': No space left on device\n${copied}`, 'disk-full', 1_504],
    [1, "dd: failed to open '/x': Disk quota exceeded", 'quota-full', 0],
    [1, "dd: failed to open '/x': Read-only file system", 'read-only', 0],
    [1, `dd: fsync failed for '/x': Input/output error\n${copied}`, 'failed', 1_504],
  ])('exit code %d and %j', (exitCode, stderr, outcome, tookMs) => {
    expect(said(exitCode, stderr)).toEqual({ outcome, tookMs });
  });

  it.each([
    [1, 'there is no disk after 15 s'],
    [126, 'OCI runtime exec failed'],
  ])('is not known where nothing was written: %d, %s', (exitCode, stderr) => {
    expect(() => said(exitCode, stderr)).toThrow(`cannot write to a disk: ${stderr}`);
  });
});
