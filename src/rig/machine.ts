// How starved the machine is while a run goes on, for the checks to tell a system
// that is late from one that isn't let work (checks/work-clock.ts).
//
// /proc/loadavg counts the tasks that run or wait for a core, which says by what
// factor work is slowed; /proc/pressure/cpu only says for how much of the time anybody waited.
// What waits for a disk is in neither. /proc/pressure/io would tell, but a cluster
// that writes without need puts the pressure there itself, and would be excused by it.

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Clock } from '../base/clock.ts';
import type { Journal } from './journal.ts';

const EVENT_EVERY_MS = 500;
/** So many looks make an event: their mean is steadier than any of them. */
const LOOKS = 5;

/** Tasks that run or wait, of a text as proc_loadavg(5) describes it; undefined where it doesn't say. */
export function runnableIn(loadavg: string): number | undefined {
  const [, runnable, total] = /^\S+ \S+ \S+ (\d+)\/(\d+) /.exec(loadavg) ?? [];
  // Some sandboxes have the file, but count nothing.
  return runnable === undefined || Number(total) === 0 ? undefined : Number(runnable);
}

export interface Machine {
  readonly cores: number;
  /** See {@link runnableIn}. */
  runnable(): number | undefined;
  /** Nobody else is ever on it: one look tells as much as several. Default: false. */
  readonly isIdle?: boolean;
}

export const thisMachine: Machine = {
  cores: cpus().length,
  runnable: () => {
    try {
      return runnableIn(readFileSync('/proc/loadavg', 'utf8'));
    } catch {
      return undefined;
    }
  },
};

/** Records it twice a second until it is disposed of; nothing at all where the machine doesn't tell. */
export function watchMachine(options: {
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'atMs' | 'record'>;
  readonly machine?: Machine;
}): Disposable {
  const { clock, journal, machine = thisMachine } = options;
  const stop = new AbortController();
  const looks = machine.isIdle === true ? 1 : LOOKS;
  const watch = async (): Promise<void> => {
    let fromMs = journal.atMs();
    for (;;) {
      let sum = 0;
      for (let look = 0; look < looks; look += 1) {
        await clock.sleep(EVENT_EVERY_MS / looks, stop.signal);
        const runnable = machine.runnable();
        if (runnable === undefined) return;
        sum += runnable;
      }
      const toMs = journal.atMs();
      const overMs = toMs - fromMs;
      journal.record({
        type: 'machine',
        overMs: tenths(overMs),
        lateMs: tenths(Math.max(0, overMs - EVENT_EVERY_MS)),
        runnable: tenths(sum / looks),
        cores: machine.cores,
      });
      fromMs = toMs;
    }
  };
  // It ends when it is told to. A record that can't be written fails whoever writes next, and so the run.
  watch().catch(() => undefined);
  return { [Symbol.dispose]: () => stop.abort() };
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
