// A node's disk, whatever is the matter with it: its storage and its NFS server have
// the same one.

import { RigError } from '../base/errors.ts';
import type { DiskCondition } from '../rig/deployment.ts';
import type { MemoryDisk } from '../storage/memory.ts';
import type { Storage } from '../storage/storage.ts';

export interface ModelledDisk {
  readonly disk: MemoryDisk;
  /** What it is put in, in the place of what it was in. */
  become(conditions: readonly DiskCondition[]): void;
  /** It is mounted anew: of what has failed nothing is left but the condition itself. */
  mount(): void;
  is(condition: DiskCondition['is']): boolean;
  /** How long so many bytes take, beyond what a sound disk takes for anything. */
  bytesMs(bytes: number): number;
  /** Throws `io` for a call that it refuses now. */
  check(call: keyof Storage): void;
}

/** 100 MB/s. */
const USUAL_KBIT_PER_SECOND = 800_000;
/** What puts data on the disk; metadata has its own room. */
const TAKING_ROOM: readonly (keyof Storage)[] = ['receive', 'rewrite'];

export function createDisk(disk: MemoryDisk): ModelledDisk {
  let conditions: readonly DiskCondition[] = [];
  /** BTRFS gives up a mount whose device has failed. */
  let isGivenUp = false;
  const is = (wanted: DiskCondition['is']): boolean =>
    (wanted === 'failing' && isGivenUp) || conditions.some((one) => one.is === wanted);
  const look = (): void => {
    isGivenUp ||= is('failing');
    const state = (['read-only', 'failing', 'full'] as const).find(is) ?? 'ok';
    disk.health = { state, reason: state === 'ok' ? null : `the simulated disk is ${state}` };
  };
  return {
    disk,
    become: (now) => {
      conditions = now;
      look();
    },
    mount: () => {
      isGivenUp = false;
      look();
    },
    is,
    bytesMs: (bytes) => {
      const limits = conditions.flatMap((one) => (one.is === 'slow' ? [one.kbitPerSecond] : []));
      return (bytes * 8) / Math.min(USUAL_KBIT_PER_SECOND, ...limits);
    },
    check: (call) => {
      if (call === 'health') return;
      if (is('failing')) throw new RigError('io', `${call}: Input/output error`);
      if (is('full') && TAKING_ROOM.includes(call))
        throw new RigError('io', `${call}: No space left on device`);
    },
  };
}
