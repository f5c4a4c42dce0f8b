// The faults that people inject by hand, on record in the cluster's folder before
// anything is touched: whoever comes later knows by that what there is to heal.

import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Hit } from '../faults/fault.ts';
import { owedHits } from '../faults/owed.ts';
import type { HistoryEvent, NemesisEvent } from '../history.ts';
import { recordError } from '../journal.ts';
import { HISTORY_FILE } from '../record-files.ts';

/** A {@link NemesisEvent} a line; its `atMs` counts from the epoch. A run's own history stays as it is. */
export const BY_HAND_FILE = 'by-hand.jsonl';

export interface HandRecord {
  /** What is not healed, those of the run that kept the cluster included; in the order of their injection. */
  readonly owed: readonly Hit[];
  /** Names that were given to faults so far. */
  readonly used: ReadonlySet<string>;
  /** Of the run that kept the cluster, if there was one. */
  readonly history: readonly HistoryEvent[];
  /** Throws `machine` when it can't be written. */
  write(event: Omit<NemesisEvent, 'atMs'>): void;
}

/** As it is now: what is written later is not in `owed`. Throws `invalid` for lines that are not JSON. */
export async function openHandRecord(folder: string, clock: Clock): Promise<HandRecord> {
  const path = join(folder, BY_HAND_FILE);
  const history = await readEvents(join(folder, HISTORY_FILE));
  const events = [...history, ...(await readEvents(path))];
  return {
    history,
    owed: owedHits(events),
    used: new Set(events.flatMap((event) => (event.type === 'nemesis' ? [event.id] : []))),
    write: (event) => {
      try {
        appendFileSync(path, `${JSON.stringify({ ...event, atMs: clock.nowMs() })}\n`);
      } catch (error) {
        throw recordError(path, error);
      }
    },
  };
}

/** None where there is no such file. */
async function readEvents(path: string): Promise<readonly HistoryEvent[]> {
  const text = await readFile(path, 'utf8').catch((error: { readonly code?: string }) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  // Whatever follows the last newline was being written when somebody died.
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as HistoryEvent;
    } catch (error) {
      throw new RigError('invalid', `${path}, line ${index + 1} is not JSON`, { cause: error });
    }
  });
}

/** `latency`, or `latency-2` where there was one already. */
export function freeId(fault: string, used: ReadonlySet<string>): string {
  let id = fault;
  for (let count = 2; used.has(id); count += 1) id = `${fault}-${count}`;
  return id;
}
