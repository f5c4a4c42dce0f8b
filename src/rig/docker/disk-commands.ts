// What is said to images/node/disk.sh, and what its answers mean. Pure.

import { RigError } from '../../base/errors.ts';
import type { DiskCondition, DiskWrite, ExecResult } from '../deployment.ts';

const DISK = '/usr/local/lib/cobalt-rig/disk.sh';

export const BREAKABLE: readonly string[] = [DISK, 'breakable'];
/** Exit code when the volume isn't there. */
export const NOT_HERE = 3;

export function setCommand(conditions: readonly DiskCondition[]): readonly string[] {
  const has = (is: DiskCondition['is']): string => (conditions.some((one) => one.is === is) ? 'yes' : 'no');
  const limits = conditions.flatMap((one) => (one.is === 'slow' ? [one.kbitPerSecond] : []));
  const kbit = limits.length === 0 ? 'any' : String(Math.min(...limits));
  return [DISK, 'set', has('full'), has('read-only'), has('failing'), kbit];
}

export const writeCommand = (bytes: number): readonly string[] => [DISK, 'try', String(bytes)];

export const volumeCommand = (does: 'fill' | 'empty' | 'try', volume: string): readonly string[] => [
  DISK,
  'volume',
  does,
  volume,
];

const WORDS: Readonly<Record<string, DiskWrite['outcome']>> = {
  'No space left on device': 'disk-full',
  'Disk quota exceeded': 'quota-full',
  'Read-only file system': 'read-only',
};

/**
 * Throws `machine` when dd was not even reached: that says nothing of the disk.
 * Of dd's own words: `…: No space left on device`, `262144 bytes (…) copied, 0.2 s, 1.2 MB/s`.
 */
export function writeOf({ exitCode, stdout, stderr }: ExecResult): DiskWrite {
  const tookMs = Math.round(1000 * Number(/ copied, ([\d.e+-]+) s,/.exec(stderr)?.[1] ?? 0));
  if (exitCode === 0) return { outcome: 'written', tookMs };
  if (!/^dd: /m.test(stderr)) {
    throw new RigError(
      'machine',
      `cannot write to a disk: ${(stderr || stdout).trim() || `exit code ${exitCode}`}`,
    );
  }
  const words = Object.keys(WORDS).find((each) => stderr.includes(each));
  return { outcome: words === undefined ? 'failed' : (WORDS[words] as DiskWrite['outcome']), tookMs };
}
