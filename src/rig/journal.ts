// The run's own record: every event goes to disk as it happens, so that a rig
// that dies loses nothing, and stays in memory for the checks.

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { EtcdEvent, HistoryEvent } from './history.ts';
import { ETCD_EVENTS_FILE, HISTORY_FILE } from './record-files.ts';

/** An event without its time, which the journal adds. */
export type Unstamped<Event> = Event extends unknown ? Omit<Event, 'atMs'> : never;

export interface Journal extends Disposable {
  /** Milliseconds since the run began. */
  atMs(): number;
  record(event: Unstamped<HistoryEvent>): void;
  recordEtcd(event: Unstamped<EtcdEvent>): void;
  readonly history: readonly HistoryEvent[];
  readonly etcd: readonly EtcdEvent[];
}

export function openJournal(options: { readonly clock: Clock; readonly folder: string }): Journal {
  const { clock, folder } = options;
  mkdirSync(folder, { recursive: true });
  const historyFile = openSync(join(folder, HISTORY_FILE), 'a');
  const etcdFile = openSync(join(folder, ETCD_EVENTS_FILE), 'a');
  const startedMs = clock.monotonicMs();
  const history: HistoryEvent[] = [];
  const etcd: EtcdEvent[] = [];
  const atMs = (): number => Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
  return {
    atMs,
    history,
    etcd,
    record: (event) => {
      const stamped = { atMs: atMs(), ...event } as HistoryEvent;
      history.push(stamped);
      writeSync(historyFile, `${JSON.stringify(stamped)}\n`);
    },
    recordEtcd: (event) => {
      const stamped = { atMs: atMs(), ...event } as EtcdEvent;
      etcd.push(stamped);
      writeSync(etcdFile, `${JSON.stringify(stamped)}\n`);
    },
    [Symbol.dispose]: () => {
      closeSync(historyFile);
      closeSync(etcdFile);
    },
  };
}
