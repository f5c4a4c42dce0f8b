// All logs of one command to the log store that the environment names, if it names one.

import { basename, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { LogRecord } from '../rig/log-record.ts';
import { createLogShipper, describeShipped, type LogStore } from '../rig/log-shipper.ts';
import { LOGS_FOLDER, readLogRecords } from '../rig/record-files.ts';
import { readLogStore } from './settings.ts';

export interface Shipping {
  /** Whether there is a store. */
  readonly isOpen: boolean;
  /** Takes the lines of the run in that folder; undefined when there is no store. */
  from(folder: string): ((record: LogRecord) => void) | undefined;
  /** Sends what a run has left in its folder, at the store's own pace. */
  sendRecorded(folder: string): Promise<void>;
  /** What came of it is told in a sentence, if there is anything to tell. */
  end(tell: (line: string) => void): Promise<void>;
}

/** So many lines are read ahead of a store. */
const AHEAD = 2_000;

/** `store`: default as {@link readLogStore} says. Throws what that throws. */
export function openShipping(clock: Clock, store: LogStore | undefined = readLogStore()): Shipping {
  if (store === undefined) {
    return {
      isOpen: false,
      from: () => undefined,
      sendRecorded: async () => undefined,
      end: async () => undefined,
    };
  }
  const shipper = createLogShipper({ clock, ...store });
  /** A store that takes nothing is waited for once. */
  let isTaking = true;
  return {
    isOpen: true,
    from: (folder) => {
      const run = basename(folder);
      return (record) => shipper.ship(record, { run });
    },
    sendRecorded: async (folder) => {
      const run = basename(folder);
      for (const records of (await readLogRecords(join(folder, LOGS_FOLDER))).values()) {
        for (const [index, record] of records.entries()) {
          shipper.ship(record, { run });
          if (index % AHEAD === AHEAD - 1 && isTaking) isTaking = await shipper.flush();
        }
      }
      if (isTaking) isTaking = await shipper.flush();
    },
    end: async (tell) => {
      const told = describeShipped(await shipper.end(), store);
      if (told !== undefined) tell(told);
    },
  };
}
