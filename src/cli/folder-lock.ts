// One rig at a time changes a cluster by hand: each knows what the one before it did
// by what that has written into the cluster's folder.

import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { isAlive, takeLockFile } from '../base/lock-file.ts';
import { waitFor } from '../base/retry.ts';
import { recordError } from '../rig/journal.ts';

const LOCK_FILE = 'by-hand.lock';
/** Longer than any fault takes to show. */
const FREE_WITHIN_MS = 60_000;

/** Waits for its turn; throws `timeout` with the process that has it, and `machine` where nothing can be written. */
export async function lockFolder(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<Disposable> {
  const path = join(options.folder, LOCK_FILE);
  let holder = '';
  let failure: RigError | undefined;
  await waitFor({
    clock: options.clock,
    signal: options.signal,
    what: `another rig to be done with the cluster, and ${path} to go`,
    timeoutMs: FREE_WITHIN_MS,
    probe: async () => {
      try {
        if (take(path)) return true;
      } catch (error) {
        failure = RigError.from(error);
        return true;
      }
      holder = holderOf(path);
      if (holder !== '' && !isAlive(Number(holder))) rmSync(path, { force: true });
      return undefined;
    },
    describe: () => `process ${holder} is at it`,
  });
  if (failure !== undefined) throw failure;
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** False when somebody has it. */
function take(path: string): boolean {
  try {
    return takeLockFile(path, String(process.pid));
  } catch (error) {
    throw new RigError('machine', recordError(path, error).message, {
      next: 'Give the user of this process the right to write there.',
      cause: error,
    });
  }
}

/** Empty when it was given back. */
function holderOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
