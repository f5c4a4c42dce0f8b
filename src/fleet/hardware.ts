// Makes a profile felt: what a node's disk, its NFS server and its lines to others do to
// the calls that are made of them.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { type Around, plainly } from './life.ts';
import type { Profile } from './profiles.ts';

export interface Hardware {
  readonly disk: Around;
  readonly nfs: Around;
  /** True when the answer to what was just done is to be lost. */
  losesReply(): boolean;
}

/** What tells of failures can't be part of them: a disk that can't be asked how it is counts as failing. */
const NEVER_FAIL: readonly string[] = ['health', 'space'];

export function createHardware(options: {
  readonly profile: Profile;
  readonly clock: Clock;
  readonly random: Random;
}): Hardware {
  const { clock, random } = options;
  const { latencyMs, failures } = options.profile;
  const chance = (): number => random.uint32() / 2 ** 32;
  const happens = (rate: number): boolean => rate > 0 && chance() < rate;
  const around = (what: string, rate: number): Around => {
    if (rate === 0 && latencyMs.most === 0) return plainly;
    return async (call, work) => {
      const ms = latencyMs.least + chance() * (latencyMs.most - latencyMs.least);
      if (ms > 0) await clock.sleep(ms);
      if (!NEVER_FAIL.includes(call) && happens(rate)) {
        throw new RigError('io', `${call}: the simulated ${what} fails`);
      }
      return work();
    };
  };
  return {
    disk: around('disk', failures.disk),
    nfs: around('NFS server', failures.nfs),
    losesReply: () => happens(failures.repliesDropped),
  };
}
