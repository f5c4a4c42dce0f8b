import { describe, expect, it } from '@jest/globals';
import { answerOfFailure } from '../../../../src/rig/consumer/refusal.ts';

// Words of libnfs-utils 5 against nfs-ganesha 6.5.
const NOT_ACCEPTED =
  'Failed to mount nfs share : mount_cb: NFS4: (path /v0123456789abcdef) failed with NFS4ERR_NOENT(-2)\n' +
  'Failed to open nfs://172.17.0.4/v0123456789abcdef/f?version=4';
const READ_ONLY =
  'Failed to creat file /f: creat call failed with "NFS4: (path /) failed with NFS4ERR_ROFS(-30)"';
const NO_SUCH_FILE =
  'Failed to open file /none: open call failed with "NFS4: (path /) failed with NFS4ERR_NOENT(-2)"';

// A host whose access ended while it wrote: the open has emptied the file.
const WHILE_WRITING =
  'Failed to write to dest file: write call failed with "NFS4: (path /f) failed with NFS4ERR_ACCESS(-13)"\n';
const OPEN_DENIED =
  'Failed to open file /f: open call failed with "NFS4: (path /f) failed with NFS4ERR_ACCESS(-13)"\n' +
  'Failed to open nfs://172.17.0.4/v0123456789abcdef/f?version=4';

describe("what libnfs's failures mean", () => {
  it('is refused where the export is not to be seen', () => {
    expect(answerOfFailure('nfs-read', { stderr: NOT_ACCEPTED }).outcome).toBe('refused');
    expect(answerOfFailure('nfs-write', { stderr: NOT_ACCEPTED }).outcome).toBe('refused');
  });

  it('is refused where the file system is read-only', () => {
    expect(answerOfFailure('nfs-write', { stderr: READ_ONLY }).outcome).toBe('refused');
  });

  it('is refused where the file may not be opened', () => {
    expect(answerOfFailure('nfs-write', { stderr: OPEN_DENIED })).toMatchObject({ outcome: 'refused' });
  });

  it('knows a write that came to the end of the quota, which has happened in part', () => {
    const full =
      'Failed to write to dest file: write call failed with "NFS4: (path /f) failed with NFS4ERR_DQUOT(-69)"';
    expect(answerOfFailure('nfs-write', { stderr: full })).toMatchObject({ outcome: 'unknown', full: true });
    const words = 'Failed to write to dest file: Disk quota exceeded';
    expect(answerOfFailure('nfs-write', { stderr: words })).toMatchObject({ outcome: 'unknown', full: true });
    expect(answerOfFailure('nfs-write', { stderr: NOT_ACCEPTED })).not.toHaveProperty('full');
  });

  it('does not take a write that was refused after the open for one that never happened', () => {
    expect(answerOfFailure('nfs-write', { stderr: WHILE_WRITING })).toMatchObject({
      outcome: 'unknown',
      refused: true,
    });
    expect(answerOfFailure('nfs-read', { stderr: WHILE_WRITING }).outcome).toBe('refused');
  });

  it('reads all that the tool said, of which it keeps the end', () => {
    const answer = answerOfFailure('nfs-write', { stderr: `${NOT_ACCEPTED}\n${'x'.repeat(600)}` });
    expect(answer.outcome).toBe('refused');
    expect(answer.detail).toHaveLength(500);
  });

  it('is not refused where only the file is missing', () => {
    expect(answerOfFailure('nfs-read', { stderr: NO_SUCH_FILE })).toMatchObject({
      outcome: 'failed',
      absent: true,
    });
    const looked =
      'Failed to open file /d/none: open call failed with "NFS4: (path /d) LOOKUP failed: NFS4ERR_NOENT(-2)"';
    expect(answerOfFailure('nfs-read', { stderr: looked })).toMatchObject({
      outcome: 'failed',
      absent: true,
    });
  });

  it('does not miss a file where the export, the server or its disk is missing, nor in a write', () => {
    const stale =
      'Failed to open file /f: open call failed with "NFS4: (path /) failed with NFS4ERR_STALE(-70)"';
    const unreachable = 'Failed to mount nfs share : mount_cb: RPC error. Connection refused';
    for (const stderr of [NOT_ACCEPTED, stale, unreachable, WHILE_WRITING])
      expect(answerOfFailure('nfs-read', { stderr })).not.toHaveProperty('absent');
    expect(answerOfFailure('nfs-read', { killed: true, stderr: NO_SUCH_FILE })).not.toHaveProperty('absent');
    expect(answerOfFailure('nfs-write', { stderr: NO_SUCH_FILE })).not.toHaveProperty('absent');
  });

  it('is unknown where a write was cut short, and failed where a read was', () => {
    expect(answerOfFailure('nfs-write', { killed: true, stderr: '' }).outcome).toBe('unknown');
    expect(answerOfFailure('nfs-read', { killed: true, stderr: '' }).outcome).toBe('failed');
  });
});
