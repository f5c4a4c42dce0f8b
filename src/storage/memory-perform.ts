// How a call of the modelled disk passes: its latency, the failure that a test asked for, and a disk
// that takes no writes.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { DiskHealth } from '../model/node.ts';
import type { Storage } from './storage.ts';

/** Runs the effect of a call, after its latency or instead of its failure on demand. */
export type Perform = <T>(call: keyof Storage, effect: () => T) => Promise<T>;

const READING: readonly (keyof Storage)[] = [
  'space',
  'list',
  'find',
  'copies',
  'send',
  'digest',
  'health',
  'binding',
];

/** Whether the call leaves the disk as it is. */
export const isReading = (call: keyof Storage): boolean => READING.includes(call);

export function createPerform(options: {
  readonly clock: Clock;
  readonly disk: { readonly health: DiskHealth };
  readonly latencyMs?: ((call: keyof Storage) => number) | undefined;
}): { readonly perform: Perform; failNext(call: keyof Storage, error: RigError): void } {
  const { clock, disk, latencyMs } = options;
  const failures: { readonly call: keyof Storage; readonly error: RigError }[] = [];
  return {
    perform: async (call, effect) => {
      const totalMs = latencyMs?.(call) ?? 0;
      const beforeMs = isReading(call) ? totalMs : totalMs / 2;
      if (beforeMs > 0) await clock.sleep(beforeMs);
      const index = failures.findIndex((failure) => failure.call === call);
      const [failure] = index < 0 ? [] : failures.splice(index, 1);
      if (failure !== undefined) throw failure.error;
      if (disk.health.state === 'read-only' && !isReading(call)) {
        throw new RigError('io', `${call}: the disk is read-only`);
      }
      const result = effect();
      if (totalMs > beforeMs) await clock.sleep(totalMs - beforeMs);
      return result;
    },
    failNext: (call, error) => {
      failures.push({ call, error });
    },
  };
}
